import type { UnaskedEnd } from '../test/support/supervised.ts';
import type { Check } from './check.ts';
import type { Fault } from './faults.ts';
import type { Role } from './scene.ts';
import type { ErrorLine, MemoryTrack, Watch } from './watch.ts';

/** Growth of memory from after the warm-up to the end that is no leak: heaps that fill up to their limit before they are cleaned. */
const growthMib = 96;
const growthRatio = 1.6;
const warmUpS = 15;
const leastLifeS = 40;
/** So long after a process works again others may still tell of it. */
const aftermathMs = 45_000;

/** By which processes' faults an error is explained. */
const explained: readonly (readonly [code: RegExp, roles: readonly Role[]])[] = [
  [/^TOC_(LOG|NATS)_UNAVAILABLE$/, ['nats', 'owner', 'gateway']],
  [/^TOC_STORE_UNAVAILABLE$/, ['redis', 'owner']],
  [/^TOC_HISTORY_UNAVAILABLE$/, ['history', 'owner']],
  [/^TOC_(LOG|STORE)_FENCED$/, ['owner', 'nats', 'redis']],
];

export function checkMemory(watch: Watch): Check {
  const tracks = [...watch.memory.values()].map(growthOf).filter((growth) => growth !== null);
  const violations = tracks
    .filter(({ fromMib, toMib }) => toMib > fromMib * growthRatio && toMib - fromMib > growthMib)
    .map(({ process, fromMib, toMib }) => `${process} grew from ${fromMib} MiB to ${toMib} MiB`);
  const byProcess = Map.groupBy(tracks, ({ process }) => process);
  return {
    title: `4. memory (median after ${warmUpS} s against that of the last fifth; more than ${growthRatio} times and ${growthMib} MiB is growth)`,
    counts: [...byProcess].map(([process, lives]) => {
      const [longest] = lives.toSorted((a, b) => b.lifeS - a.lifeS);
      return [
        `${process}, longest life of ${Math.round(longest!.lifeS)} s`,
        `${longest!.fromMib} to ${longest!.toMib} MiB`,
      ];
    }),
    violations,
  };
}

interface Growth {
  readonly process: string;
  readonly lifeS: number;
  readonly fromMib: number;
  readonly toMib: number;
}

/** Null for lives that were too short to tell. */
function growthOf({ process, samples }: MemoryTrack): Growth | null {
  const lifeS = samples.at(-1)?.ageS ?? 0;
  if (lifeS < leastLifeS) return null;
  const span = (lifeS - warmUpS) / 5;
  const from = samples.filter(({ ageS }) => ageS >= warmUpS && ageS <= warmUpS + span);
  const to = samples.filter(({ ageS }) => ageS >= lifeS - span);
  return {
    process,
    lifeS,
    fromMib: median(from.map(({ mib }) => mib)),
    toMib: median(to.map(({ mib }) => mib)),
  };
}

/** Nobody ended by itself, and each error that was told has its cause in a fault. */
export function checkProcesses(watch: Watch, faults: readonly Fault[], defects: readonly string[]): Check {
  const codes = Map.groupBy(watch.errors, ({ code }) => code);
  const startsGivenUp = watch.unaskedEnds.filter((end) => isExplainedEnd(end, faults));
  const violations = [
    ...defects,
    ...watch.unaskedEnds
      .filter((end) => !isExplainedEnd(end, faults))
      .map(({ name, code, signal, atMs }) => `${name} ended by itself at ${iso(atMs)}: ${signal ?? code}`),
    ...watch.errors
      .filter((error) => !isExplained(error, faults))
      .map(({ process, code, message, atMs }) => `${process} at ${iso(atMs)}: ${code}: ${message}`),
  ];
  return {
    title: '5. processes',
    counts: [
      ['ended by themselves', watch.unaskedEnds.length - startsGivenUp.length],
      ['starts given up while what they need was away', startsGivenUp.length],
      ...[...codes].map(([code, lines]): [string, number] => [`error lines with ${code}`, lines.length]),
    ],
    violations,
  };
}

/** A start that gave up because NATS or Redis was away: a service manager tries it again. */
function isExplainedEnd({ wasReady, atMs, signal }: UnaskedEnd, faults: readonly Fault[]): boolean {
  const isAway = faults.some(
    ({ role, beganAtMs, readyAtMs }) =>
      (role === 'nats' || role === 'redis') && beganAtMs <= atMs && readyAtMs + aftermathMs >= atMs,
  );
  return !wasReady && signal === null && isAway;
}

function isExplained({ code, atMs }: ErrorLine, faults: readonly Fault[]): boolean {
  const roles = explained.find(([pattern]) => pattern.test(code))?.[1] ?? [];
  return faults.some(
    ({ role, beganAtMs, readyAtMs }) =>
      roles.includes(role) && beganAtMs <= atMs && readyAtMs + aftermathMs >= atMs,
  );
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return Math.round(sorted[Math.floor(sorted.length / 2)] ?? 0);
}

function iso(atMs: number): string {
  return new Date(atMs).toISOString();
}
