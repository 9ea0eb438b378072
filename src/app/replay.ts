import type { Alert } from '../alert/index.ts';
import type { LogSlice } from '../engine/index.ts';
import type { ConfigEntry, Incident, LogEntry, TocsinFrame } from '../incident/index.ts';
import { Ledger, type Assignment, type ReplayedPage } from './ledger.ts';
import type { Pipeline } from './pipeline.ts';
import type { Recording } from './recording.ts';

export interface ReplayOptions {
  /** The payload of the config entry that the log begins with. */
  readonly config: ConfigEntry['payload'];
  /** Keep what became of each alert; costs memory per alert. */
  readonly wantsAssignments: boolean;
  /** How far log time runs on after the last alert, so that group timers and expiries still fire. */
  readonly settleMs: number;
  /** Sees the frames in their order. */
  readonly onFrames?: (frames: readonly TocsinFrame[]) => void;
}

/** How many alerts are folded in one batch: large enough that a worker's task is worth its crossing. */
const batchAlertCount = 4096;
/** Alerts between two words about the progress. */
const progressStep = 8192;

/**
 * Folds recorded alerts in virtual time with the production engine: time is the alerts' `receivedAtMs`, nothing waits.
 * Effects are not carried out; dispatch counts each page as sent.
 */
export class Replay {
  readonly #pipeline: Pipeline;
  readonly #options: ReplayOptions;
  #entries: LogEntry[] = [];
  #indices: number[][] = [];
  #pending = { timeMs: -Infinity, alerts: [] as Alert[], indices: [] as number[] };
  #queuedCount = 0;
  #lastMs = -Infinity;
  readonly #ledger: Ledger | null;

  constructor(pipeline: Pipeline, options: ReplayOptions) {
    this.#pipeline = pipeline;
    this.#options = options;
    this.#ledger = options.wantsAssignments ? new Ledger() : null;
  }

  /** Folds a whole recording and finishes; `onProgress` hears how many of its alerts were taken so far. */
  async foldAll(
    { alerts, indices }: Pick<Recording, 'alerts' | 'indices'>,
    onProgress: (alertCount: number) => void = () => undefined,
  ): Promise<void> {
    for (let start = 0; start < alerts.length; start += progressStep) {
      const end = Math.min(start + progressStep, alerts.length);
      await this.push(alerts.slice(start, end), indices.subarray(start, end));
      onProgress(end);
    }
    await this.finish();
  }

  /** Takes the next alerts of the input; `indices` are their places in it. A time earlier than what came before counts as that. */
  async push(alerts: readonly Alert[], indices: ArrayLike<number>): Promise<void> {
    for (const [offset, alert] of alerts.entries()) {
      const timeMs = Math.max(alert.receivedAtMs, this.#pending.timeMs);
      if (timeMs !== this.#pending.timeMs) {
        this.#closeEntry();
        this.#pending = { timeMs, alerts: [], indices: [] };
      }
      this.#pending.alerts.push(alert);
      this.#pending.indices.push(indices[offset]!);
      this.#queuedCount++;
    }
    if (this.#queuedCount >= batchAlertCount) await this.#fold();
  }

  /** Folds what is left and lets log time run on until everything has settled. */
  async finish(): Promise<void> {
    this.#closeEntry();
    await this.#fold();
    if (this.#lastMs === -Infinity) return;
    const endMs = this.#lastMs + this.#options.settleMs;
    await this.#apply([{ kind: 'tick', timeMs: endMs, payload: null }], []);
  }

  /** One element for each input alert, in input order. Empty unless assignments were asked for. */
  assignments(): Assignment[] {
    return this.#ledger?.assignments() ?? [];
  }

  /** The pages that left, with what is known of their incidents then. Empty unless assignments were asked for. */
  pages(): ReplayedPage[] {
    return this.#ledger?.pages() ?? [];
  }

  /** All incidents in their last revision; those that were merged into others are left out. */
  incidents(): Incident[] {
    return [...this.#pipeline.stages.triage.incidents()].filter((incident) => incident.state !== 'merged');
  }

  #closeEntry(): void {
    const { timeMs, alerts, indices } = this.#pending;
    if (alerts.length === 0) return;
    if (this.#lastMs === -Infinity) {
      this.#entries.push({ kind: 'config', timeMs, payload: this.#options.config });
      this.#indices.push([]);
    }
    this.#entries.push({ kind: 'alerts', timeMs, payload: alerts });
    this.#indices.push(indices);
    this.#lastMs = timeMs;
    this.#pending = { timeMs, alerts: [], indices: [] };
  }

  async #fold(): Promise<void> {
    const [entries, indices] = [this.#entries, this.#indices];
    this.#entries = [];
    this.#indices = [];
    this.#queuedCount = this.#pending.alerts.length;
    if (entries.length > 0) await this.#apply(entries, indices);
  }

  async #apply(entries: readonly LogEntry[], indices: readonly (readonly number[])[]): Promise<void> {
    const slice: LogSlice<LogEntry> = { firstPosition: this.#pipeline.fold.position + 1, entries };
    const { frames } = await this.#pipeline.fold.apply(slice);
    this.#options.onFrames?.(frames);
    if (!this.#ledger) return;
    for (const frame of frames) this.#ledger.read(frame, indices[frame.position - slice.firstPosition] ?? []);
  }
}
