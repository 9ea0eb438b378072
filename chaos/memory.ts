import { readFileSync } from 'node:fs';
import type { Verdict } from './checks.ts';
import { leadsOf, type Lead } from './leads.ts';
import type { TocsinVictim } from './victim.ts';

const everyMs = 2_000;
/** More than this, and more than half as much again, is growth. */
const leastGrowthMib = 96;
/** Fewer samples than this say nothing. */
const leastSamples = 30;

/** So long before it leads a partition an owner may be taking it on, which no log tells: what it needs then says nothing either. */
const takingMs = 60_000;

export interface MemorySample {
  /** Of the wall clock. */
  readonly atMs: number;
  readonly mib: number;
}

/** Watches how much memory processes take, as the system counts it, life by life. */
export class MemoryWatch {
  readonly #processes: readonly TocsinVictim[];
  /** Samples in MiB by name and process id, a life each. */
  readonly #lives = new Map<string, { readonly process: TocsinVictim; readonly samples: MemorySample[] }>();
  readonly #timer: NodeJS.Timeout;

  constructor(processes: readonly TocsinVictim[]) {
    this.#processes = processes;
    this.#timer = setInterval(() => this.#sample(), everyMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Of a life's samples while it led as many partitions, the last third is not much more than the second third. */
  verdict(): Verdict {
    const violations: string[] = [];
    const leads = new Map(
      this.#processes.map((process) => [process, process.kind === 'owner' ? leadsOf(process) : []]),
    );
    let longest = 0;
    for (const [life, { process, samples }] of this.#lives) {
      longest = Math.max(longest, ...samples.map(({ mib }) => mib));
      for (const growth of growthOf(samples, leads.get(process) ?? [])) violations.push(`${life} ${growth}`);
    }
    const counts = `${this.#lives.size} lives, the most that one had was ${longest} MiB`;
    return { name: 'no process grows without bound', counts, violations };
  }

  #sample(): void {
    for (const process of this.#processes) {
      const { name, pid } = process;
      if (pid === null) continue;
      const mib = rssMib(pid);
      if (mib === null) continue;
      const life = `${name} (${pid})`;
      const sample = { atMs: Date.now(), mib };
      const known = this.#lives.get(life);
      if (known) known.samples.push(sample);
      else this.#lives.set(life, { process, samples: [sample] });
    }
  }
}

/** How a life grew that led these partitions, for each number of them; an owner needs more for two than for none. */
export function growthOf(samples: readonly MemorySample[], leads: readonly Lead[]): string[] {
  const [first] = samples;
  if (!first) return [];
  const ofLife = leads.filter(({ atMs }) => atMs >= first.atMs - everyMs);
  const isTaking = ({ atMs }: MemorySample): boolean =>
    ofLife.some((lead) => lead.begins && lead.atMs > atMs && lead.atMs - atMs <= takingMs);
  const settled = samples.filter((sample) => !isTaking(sample));
  const byCount = Map.groupBy(settled, ({ atMs }) => {
    const led = new Set<number>();
    for (const lead of ofLife) {
      if (lead.atMs > atMs) break;
      if (lead.begins) led.add(lead.partition);
      else led.delete(lead.partition);
    }
    return led.size;
  });
  return [...byCount].flatMap(([ledCount, during]) => {
    if (during.length < leastSamples) return [];
    const third = Math.floor(during.length / 3);
    const [before, after] = [median(during.slice(third, 2 * third)), median(during.slice(-third))];
    if (after - before <= leastGrowthMib || after <= 1.5 * before) return [];
    return [`grew from ${before} to ${after} MiB while it led ${ledCount} partitions`];
  });
}

function rssMib(pid: number): number | null {
  try {
    const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kib === undefined ? null : Math.round(Number(kib) / 1024);
  } catch {
    return null;
  }
}

function median(samples: readonly MemorySample[]): number {
  const sorted = samples.map(({ mib }) => mib).toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
