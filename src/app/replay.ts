import type { Alert } from '../alert/index.ts';
import type { LogSlice } from '../engine/index.ts';
import type {
  Candidate,
  ConfigEntry,
  Incident,
  LogEntry,
  Page,
  Priority,
  TocsinFrame,
} from '../incident/index.ts';
import type { Pipeline } from './pipeline.ts';

/** What became of one input alert. `incidentId` is the incident that its signal was in when it came, or what that one was merged into. */
export interface Assignment {
  readonly index: number;
  readonly fingerprint: string;
  readonly signalId: string | null;
  readonly incidentId: string | null;
  readonly pageIds: readonly string[];
  readonly muted: boolean;
  readonly surprise: number | null;
}

/** A page, and how urgent its incident was when it left; `incidentId` is what that one was merged into. */
export interface ReplayedPage extends Page {
  readonly priority: Priority | null;
}

export interface ReplayOptions {
  /** The payload of the config entry that the log begins with. */
  readonly config: ConfigEntry['payload'];
  /** Keep what became of each alert; costs memory per alert. */
  readonly wantsAssignments: boolean;
  /** How far log time runs on after the last alert, so that group timers and expiries still fire. */
  readonly settleMs: number;
}

/** How many alerts are folded in one batch: large enough that a worker's task is worth its crossing. */
const batchAlertCount = 4096;

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
    if (!this.#ledger) return;
    for (const frame of frames) this.#ledger.read(frame, indices[frame.position - slice.firstPosition] ?? []);
  }
}

/** Follows what became of each alert while the frames pass. */
class Ledger {
  readonly #sightings: {
    index: number;
    fingerprint: string;
    signalId: string | null;
    muted: boolean;
    surprise: number | null;
    incidentId: string | null;
  }[] = [];
  readonly #muted = new Set<string>();
  readonly #surprise = new Map<string, number | null>();
  readonly #incidentOf = new Map<string, string>();
  readonly #signalOf = new Map<string, string>();
  readonly #pagesOf = new Map<string, string[]>();
  readonly #mergedInto = new Map<string, string>();
  readonly #incidents = new Map<string, Incident>();
  readonly #pages: ReplayedPage[] = [];

  read({ entry, flow }: TocsinFrame, indices: readonly number[]): void {
    for (const { fingerprint, verdict } of flow.verdictChanges) {
      if (verdict.muted) this.#muted.add(fingerprint);
      else this.#muted.delete(fingerprint);
    }
    for (const { signalId, surprise } of flow.scores) this.#surprise.set(signalId, surprise);
    for (const { candidate } of flow.candidateChanges) this.#noteCandidate(candidate);
    for (const incident of flow.incidents) this.#incidents.set(incident.id, incident);
    for (const [position, { alert, index }] of flow.alertChanges.entries()) {
      const signalId = flow.sightings[position]?.signalId ?? null;
      if (signalId !== null) this.#signalOf.set(alert.fingerprint, signalId);
      const inputIndex = entry === null || index < 0 ? undefined : indices[index];
      if (inputIndex === undefined) continue;
      this.#sightings.push({
        index: inputIndex,
        fingerprint: alert.fingerprint,
        signalId,
        muted: this.#muted.has(alert.fingerprint),
        surprise: signalId === null ? null : (this.#surprise.get(signalId) ?? null),
        incidentId: signalId === null ? null : (this.#incidentOf.get(signalId) ?? null),
      });
    }
    for (const page of flow.pages) {
      const { priority = null } = this.#incidents.get(page.incidentId ?? '') ?? {};
      this.#pages.push({ ...page, priority });
      for (const fingerprint of page.fingerprints) this.#addPage(this.#signalOf.get(fingerprint), page.id);
    }
  }

  assignments(): Assignment[] {
    return this.#sightings
      .toSorted((a, b) => a.index - b.index)
      .map(({ index, fingerprint, signalId, incidentId, muted, surprise }) => ({
        index,
        fingerprint,
        signalId,
        incidentId: incidentId === null ? null : this.#lastOf(incidentId),
        pageIds: signalId === null ? [] : (this.#pagesOf.get(signalId) ?? []),
        muted,
        surprise,
      }));
  }

  /** The pages in the order in which they left. */
  pages(): ReplayedPage[] {
    return this.#pages.map((page) => ({
      ...page,
      incidentId: page.incidentId === null ? null : this.#lastOf(page.incidentId),
    }));
  }

  /** A resolved candidate may go on naming what belongs to another one by now. */
  #noteCandidate({ id, state, mergedInto, signalIds }: Candidate): void {
    if (mergedInto === null) this.#mergedInto.delete(id);
    else this.#mergedInto.set(id, mergedInto);
    for (const signalId of signalIds) {
      if (state === 'open' || !this.#incidentOf.has(signalId)) this.#incidentOf.set(signalId, id);
    }
  }

  #lastOf(incidentId: string): string {
    let last = incidentId;
    for (let next: string | undefined = last; next !== undefined; next = this.#mergedInto.get(last))
      last = next;
    return last;
  }

  #addPage(signalId: string | undefined, pageId: string): void {
    if (signalId === undefined) return;
    const pages = this.#pagesOf.get(signalId);
    if (!pages) this.#pagesOf.set(signalId, [pageId]);
    else if (pages.at(-1) !== pageId) pages.push(pageId);
  }
}
