import type { Candidate, Incident, Page, Priority, TocsinFrame } from '../incident/index.ts';

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

/** In which incident each signal is, while candidates change. */
export class IncidentOfSignals {
  readonly #incidentOf = new Map<string, string>();
  readonly #mergedInto = new Map<string, string>();

  /** A resolved candidate may go on naming what belongs to another one by now. */
  note({ id, state, mergedInto, signalIds }: Candidate): void {
    if (mergedInto === null) this.#mergedInto.delete(id);
    else this.#mergedInto.set(id, mergedInto);
    for (const signalId of signalIds) {
      if (state === 'open' || !this.#incidentOf.has(signalId)) this.#incidentOf.set(signalId, id);
    }
  }

  /** Where the signal is now. */
  now(signalId: string): string | null {
    return this.#incidentOf.get(signalId) ?? null;
  }

  /** What the incident was merged into, or itself. */
  lastOf(incidentId: string): string {
    let last = incidentId;
    for (let next: string | undefined = last; next !== undefined; next = this.#mergedInto.get(last))
      last = next;
    return last;
  }
}

/** Follows what became of each alert while the frames pass. */
export class Ledger {
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
  readonly #incidentOf = new IncidentOfSignals();
  readonly #signalOf = new Map<string, string>();
  readonly #pagesOf = new Map<string, string[]>();
  readonly #incidents = new Map<string, Incident>();
  readonly #pages: ReplayedPage[] = [];

  /** `indices` are the places in the input of the alerts of the frame's entry. */
  read({ entry, flow }: TocsinFrame, indices: readonly number[]): void {
    for (const { fingerprint, verdict } of flow.verdictChanges) {
      if (verdict.muted) this.#muted.add(fingerprint);
      else this.#muted.delete(fingerprint);
    }
    for (const { signalId, surprise } of flow.scores) this.#surprise.set(signalId, surprise);
    for (const { candidate } of flow.candidateChanges) this.#incidentOf.note(candidate);
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
        incidentId: signalId === null ? null : this.#incidentOf.now(signalId),
      });
    }
    for (const page of flow.pages) {
      const { priority = null } = this.#incidents.get(page.incidentId ?? '') ?? {};
      this.#pages.push({ ...page, priority });
      for (const fingerprint of page.fingerprints) this.#addPage(this.#signalOf.get(fingerprint), page.id);
    }
  }

  /** One element for each input alert that was folded, in input order. */
  assignments(): Assignment[] {
    return this.#sightings
      .toSorted((a, b) => a.index - b.index)
      .map(({ index, fingerprint, signalId, incidentId, muted, surprise }) => ({
        index,
        fingerprint,
        signalId,
        incidentId: incidentId === null ? null : this.#incidentOf.lastOf(incidentId),
        pageIds: signalId === null ? [] : (this.#pagesOf.get(signalId) ?? []),
        muted,
        surprise,
      }));
  }

  /** The pages in the order in which they left. */
  pages(): ReplayedPage[] {
    return this.#pages.map((page) => ({
      ...page,
      incidentId: page.incidentId === null ? null : this.#incidentOf.lastOf(page.incidentId),
    }));
  }

  #addPage(signalId: string | undefined, pageId: string): void {
    if (signalId === undefined) return;
    const pages = this.#pagesOf.get(signalId);
    if (!pages) this.#pagesOf.set(signalId, [pageId]);
    else if (pages.at(-1) !== pageId) pages.push(pageId);
  }
}
