import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LogEntry, TocsinFrame } from '../../src/incident/index.ts';
import {
  alertOf,
  alertsEntry,
  at,
  configEntry,
  createBench,
  startMs,
  told,
  type Bench,
  type Report,
} from './scene.ts';
import { sumOf } from '../support/checkpoint.ts';

/** Few series that come and go, so that signals reopen, flap and are forgotten. */
const restless: fc.Arbitrary<Report> = fc.record({
  alertname: fc.constant('Link'),
  severity: fc.constantFrom('warning', 'critical'),
  pod: fc.integer({ min: 0, max: 2 }).map((n) => `gateway-${n}`),
  ofDomain: fc.constantFrom('default', 'default', 'other'),
  summary: fc.constantFrom('link is up', 'link is down'),
});

/** The same under keys of their senders, or of a rule that not all have the labels for. */
const keyed: fc.Arbitrary<Report> = fc
  .record({
    report: restless,
    key: fc.constantFrom('', '', 'link', 'door'),
    rack: fc.constantFrom('', 'r1', 'r2'),
  })
  .map(({ report, key, rack }): Report => ({
    ...report,
    ...(key === '' ? {} : { ofKey: key }),
    ...(rack === '' ? {} : { rack }),
  }));

/** Many texts of one scope, more or less alike, so that there is a crowd to choose from. */
const base =
  'the nightly report of the finance team could be written neither to its folder nor to the share'.split(' ');
const crowded: fc.Arbitrary<Report> = fc.record({
  alertname: fc.constant('Report'),
  pod: fc.nat(100).map((n) => `report-${n}`),
  summary: fc
    .array(fc.tuple(fc.nat(base.length - 1), fc.constantFrom('alpha', 'bravo', 'charlie', 'delta')), {
      minLength: 0,
      maxLength: 4,
    })
    .map((changes) => {
      const words = [...base];
      for (const [at, word] of changes) words[at] = word;
      return words.join(' ');
    }),
});

/** Texts of few families, some of whose words turn out to be variables. */
const taught: fc.Arbitrary<Report> = fc.record({
  alertname: fc.constantFrom('Login', 'Login', 'Mount'),
  pod: fc.nat(100).map((n) => `gate-${n}`),
  ofDomain: fc.constantFrom('default', 'default', 'other'),
  summary: fc
    .tuple(
      fc.constantFrom('alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'ROOT', 'up'),
      fc.constantFrom('/etc/a', '/etc/b', '/var/c', '10.0.0.1', 'gate'),
      fc.constantFrom('node-1', 'node-2', 'node-3', 'edge-1'),
    )
    .map(([user, path, node]) => `login of user ${user} to the folder ${path} was refused by ${node}`),
});

function batchOf(report: fc.Arbitrary<Report>, maxLength: number) {
  return fc.record({
    reports: fc.array(fc.record({ report, lastsMinutes: fc.constantFrom(0, 0, 5, 60, 60) }), {
      minLength: 1,
      maxLength,
      size: 'max',
    }),
    gapMinutes: fc.constantFrom(0, 0, 0.5, 1, 1, 4, 11, 65),
    isConfig: fc.integer({ min: 0, max: 20 }).map((n) => n === 0),
  });
}

const log = fc
  .oneof(
    fc.array(batchOf(restless, 4), { minLength: 1, maxLength: 50, size: 'max' }),
    fc.array(batchOf(keyed, 4), { minLength: 1, maxLength: 50, size: 'max' }),
    fc.array(batchOf(crowded, 40), { minLength: 1, maxLength: 8, size: 'max' }),
    fc.array(batchOf(taught, 12), { minLength: 1, maxLength: 12, size: 'max' }),
  )
  .map((batches): LogEntry[] => {
    let minute = 0;
    const entries = batches.map(({ reports, gapMinutes, isConfig }) => {
      minute += gapMinutes;
      if (isConfig) return configEntry({ similarity: 0.6 }, at(minute));
      const alerts = reports.map(({ report, lastsMinutes }) =>
        alertOf(report, at(minute), lastsMinutes * 60_000),
      );
      return alertsEntry(alerts, at(minute));
    });
    const keys = [{ name: 'rack', key: '{rack}/{alertname}' }];
    return [configEntry({ keys, flapping: { changes: 6, quiet: '5m' } }), ...entries];
  });

async function foldAll(bench: Bench, entries: readonly LogEntry[], from = 0): Promise<TocsinFrame[]> {
  const { frames } = await bench.fold.apply({ firstPosition: from + 1, entries: entries.slice(from) });
  return [...frames];
}

function memory({ dedup }: Bench): unknown {
  return [...dedup.signals()];
}

test('batch cuts do not matter', async () => {
  await fc.assert(
    fc.asyncProperty(
      log,
      fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1 }),
      async (entries, sizes) => {
        const whole = createBench();
        const expected = told(await foldAll(whole, entries));
        const cut = createBench();
        const frames: TocsinFrame[] = [];
        for (let from = 0, i = 0; from < entries.length; i++) {
          const to = Math.min(entries.length, from + sizes[i % sizes.length]!);
          const output = await cut.fold.apply({ firstPosition: from + 1, entries: entries.slice(from, to) });
          frames.push(...output.frames);
          from = to;
        }
        expect(told(frames)).toEqual(expected);
        expect(memory(cut)).toEqual(memory(whole));
      },
    ),
    { numRuns: 60 },
  );
});

test('a crash anywhere and a restore from the checkpoint change nothing', async () => {
  await fc.assert(
    fc.asyncProperty(log, fc.nat(), fc.nat(), async (entries, first, second) => {
      const expected = told(await foldAll(createBench(), entries));
      const [one, two] = [first % entries.length, second % entries.length].toSorted((a, b) => a - b);
      const before = createBench();
      before.fold.restore(null);
      const deltas = [];
      const frames: TocsinFrame[] = [];
      for (const [from, to] of [
        [0, one!],
        [one!, two!],
      ] as const) {
        const output = await before.fold.apply({ firstPosition: from + 1, entries: entries.slice(from, to) });
        frames.push(...output.frames);
        deltas.push(before.fold.takeCheckpoint());
      }
      const after = createBench();
      after.fold.restore(sumOf(deltas));
      expect(memory(after)).toEqual(memory(before));
      frames.push(...(await foldAll(after, entries, two)));
      expect(told(frames)).toEqual(expected);
    }),
    { numRuns: 80 },
  );
});

test('every report that is not ignored is counted once, and every change has its sighting', async () => {
  const keys = [{ name: 'rack', key: '{rack}/{alertname}' }];
  const forever = configEntry({ keys, retention: '10y', flapping: { changes: 6, quiet: '5m' } });
  await fc.assert(
    fc.asyncProperty(log, async (batches) => {
      const entries = [forever, ...batches.filter(({ kind }) => kind === 'alerts')];
      const bench = createBench();
      const frames = await foldAll(bench, entries);
      const ids = new Set<string>();
      let counted = 0;
      for (const { flow } of frames) {
        expect(flow.sightings.map(({ fingerprint }) => fingerprint)).toEqual(
          flow.alertChanges.map(({ alert }) => alert.fingerprint),
        );
        for (const [i, { change, index }] of flow.alertChanges.entries()) {
          const { how, signalId } = flow.sightings[i]!;
          expect(how === 'ignored').toBe(change === 'ignored');
          // A resolve is never a duplicate.
          if (change === 'resolved' || change === 'expired') expect(how).toBe('exact');
          if (signalId === null) continue;
          ids.add(signalId);
          if (index >= 0) counted++;
        }
      }
      const signals = [...ids].map((id) => bench.dedup.signal(id)!);
      expect(signals.reduce((sum, { alertCount }) => sum + alertCount, 0)).toBe(counted);
      for (const { state, firingCount, resolvedAtMs } of signals) {
        if (state === 'firing') expect(firingCount).toBeGreaterThan(0);
        if (state === 'resolved') expect(firingCount).toBe(0);
        expect(resolvedAtMs === null).toBe(state !== 'resolved');
      }
    }),
    { numRuns: 60 },
  );
});

test('nothing is remembered of what resolved longer ago than the retention', async () => {
  await fc.assert(
    fc.asyncProperty(log, async (entries) => {
      const bench = createBench();
      await foldAll(bench, entries);
      const endMs = Math.max(startMs, ...entries.map(({ timeMs }) => timeMs)) + 24 * 3_600_000;
      const tick: LogEntry = { kind: 'tick', timeMs: endMs, payload: null };
      await bench.fold.apply({ firstPosition: entries.length + 1, entries: [tick] });
      const rows = sumOf([bench.fold.takeCheckpoint()]).rows;
      // What was learned of texts stays, within its bounds.
      const about = rows.filter(({ table }) => table.startsWith('dedup/') && table !== 'dedup/families');
      expect(about).toEqual([]);
    }),
    { numRuns: 30 },
  );
});
