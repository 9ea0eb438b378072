import { residentMib, type Supervised, type UnaskedEnd } from '../test/support/supervised.ts';
import type { Fault } from './faults.ts';

/** A line of Tocsin's log, as pino writes it. */
export interface LogLine {
  readonly time: number;
  readonly level: number;
  readonly msg: string;
  readonly code?: string;
  readonly partition?: number;
  readonly err?: { readonly code?: string; readonly name?: string; readonly message?: string };
}

export interface ErrorLine {
  readonly process: string;
  readonly atMs: number;
  readonly code: string;
  readonly message: string;
}

/** Resident memory of one life of a process, in MiB, by seconds since that life began. */
export interface MemoryTrack {
  readonly process: string;
  readonly samples: { readonly ageS: number; readonly mib: number }[];
}

const errorLevel = 50;
const sampleEveryMs = 2000;

/** Writes down what processes say and how much memory they take. */
export class Watch {
  readonly errors: ErrorLine[] = [];
  readonly unaskedEnds: UnaskedEnd[] = [];
  /** By process and life. */
  readonly memory = new Map<string, MemoryTrack>();
  /** How long a partition was without a leader after its leader was killed, in ms. */
  readonly failoversMs: number[] = [];
  readonly #leaders = new Map<number, string>();
  /** Since when partitions are without the leader that was killed. */
  readonly #orphanedMs = new Map<number, number>();
  #timer: NodeJS.Timeout | null = null;

  note(process: string, { time, level, msg, code, partition, err }: LogLine): void {
    if (level >= errorLevel)
      this.errors.push({
        process,
        atMs: time,
        code: code ?? err?.code ?? err?.name ?? 'no code',
        message: err?.message === undefined || err.message === msg ? msg : `${msg} (${err.message})`,
      });
    if (partition === undefined) return;
    if (msg === 'The partition is led.') {
      this.#leaders.set(partition, process);
      const sinceMs = this.#orphanedMs.get(partition);
      if (sinceMs === undefined) return;
      this.#orphanedMs.delete(partition);
      this.failoversMs.push(time - sinceMs);
    } else if (msg === 'The partition was handed over.' && this.#leaders.get(partition) === process)
      this.#leaders.delete(partition);
  }

  noteFault({ kind, target, beganAtMs }: Fault): void {
    if (kind !== 'kill') return;
    for (const [partition, leader] of this.#leaders) {
      if (leader !== target) continue;
      this.#leaders.delete(partition);
      this.#orphanedMs.set(partition, beganAtMs);
    }
  }

  /** Partitions whose leader was killed and that nobody has led since. */
  get orphanedCount(): number {
    return this.#orphanedMs.size;
  }

  sampleMemory(processes: readonly Supervised[]): void {
    const sample = (): void => {
      for (const { name, pid, startedMs } of processes) {
        const mib = pid === null ? null : residentMib(pid);
        if (mib === null || pid === null) continue;
        const life = `${name}/${pid}`;
        const track = this.memory.get(life) ?? { process: name, samples: [] };
        track.samples.push({ ageS: (performance.now() - startedMs) / 1000, mib });
        this.memory.set(life, track);
      }
    };
    this.#timer = setInterval(sample, sampleEveryMs);
  }

  stop(): void {
    if (this.#timer) clearInterval(this.#timer);
  }
}
