import { readFileSync } from 'node:fs';
import type { Verdict } from './checks.ts';
import type { TocsinVictim } from './victim.ts';

const everyMs = 2_000;
/** More than this, and more than half as much again, is growth. */
const leastGrowthMib = 96;
/** Lives shorter than this say nothing. */
const leastSamples = 30;

/** Watches how much memory processes take, as the system counts it, life by life. */
export class MemoryWatch {
  readonly #processes: readonly TocsinVictim[];
  /** Samples in MiB by name and process id, a life each. */
  readonly #lives = new Map<string, number[]>();
  readonly #timer: NodeJS.Timeout;

  constructor(processes: readonly TocsinVictim[]) {
    this.#processes = processes;
    this.#timer = setInterval(() => this.#sample(), everyMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** No life's last third has much more than its second third. */
  verdict(): Verdict {
    const violations: string[] = [];
    let longest = 0;
    for (const [life, samples] of this.#lives) {
      longest = Math.max(longest, ...samples);
      if (samples.length < leastSamples) continue;
      const third = Math.floor(samples.length / 3);
      const [before, after] = [median(samples.slice(third, 2 * third)), median(samples.slice(-third))];
      if (after - before > leastGrowthMib && after > 1.5 * before)
        violations.push(`${life} grew from ${before} to ${after} MiB`);
    }
    const counts = `${this.#lives.size} lives, the most that one had was ${longest} MiB`;
    return { name: 'no process grows without bound', counts, violations };
  }

  #sample(): void {
    for (const { name, pid } of this.#processes) {
      if (pid === null) continue;
      const mib = rssMib(pid);
      if (mib === null) continue;
      const life = `${name} (${pid})`;
      const samples = this.#lives.get(life);
      if (samples) samples.push(mib);
      else this.#lives.set(life, [mib]);
    }
  }
}

function rssMib(pid: number): number | null {
  try {
    const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kib === undefined ? null : Math.round(Number(kib) / 1024);
  } catch {
    return null;
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
