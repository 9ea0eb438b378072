import type { TocsinFrame } from '../incident/index.ts';

/** What became of one input alert. `incidentId` is the incident in which its signal ended, after merges and splits. */
export interface Assignment {
  readonly index: number;
  readonly fingerprint: string;
  readonly signalId: string | null;
  readonly incidentId: string | null;
  readonly pageIds: readonly string[];
  readonly muted: boolean;
  readonly surprise: number | null;
}

/** Follows what became of each alert while the frames pass. */
export class Ledger {
  readonly #sightings: {
    index: number;
    fingerprint: string;
    signalId: string | null;
    muted: boolean;
    surprise: number | null;
  }[] = [];
  readonly #muted = new Set<string>();
  readonly #surprise = new Map<string, number | null>();
  readonly #incidentOf = new Map<string, string>();
  readonly #signalOf = new Map<string, string>();
  readonly #pagesOf = new Map<string, string[]>();

  /** `indices` are the places in the input of the alerts of the frame's entry. */
  read({ entry, flow }: TocsinFrame, indices: readonly number[]): void {
    for (const { fingerprint, verdict } of flow.verdictChanges) {
      if (verdict.muted) this.#muted.add(fingerprint);
      else this.#muted.delete(fingerprint);
    }
    for (const { signalId, surprise } of flow.scores) this.#surprise.set(signalId, surprise);
    for (const { candidate } of flow.candidateChanges) {
      for (const signalId of candidate.signalIds) this.#incidentOf.set(signalId, candidate.id);
    }
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
      });
    }
    for (const page of flow.pages) {
      for (const fingerprint of page.fingerprints) this.#addPage(this.#signalOf.get(fingerprint), page.id);
    }
  }

  /** One element for each input alert that was folded, in input order. */
  assignments(): Assignment[] {
    return this.#sightings
      .toSorted((a, b) => a.index - b.index)
      .map(({ index, fingerprint, signalId, muted, surprise }) => ({
        index,
        fingerprint,
        signalId,
        incidentId: signalId === null ? null : (this.#incidentOf.get(signalId) ?? null),
        pageIds: signalId === null ? [] : (this.#pagesOf.get(signalId) ?? []),
        muted,
        surprise,
      }));
  }

  #addPage(signalId: string | undefined, pageId: string): void {
    if (signalId === undefined) return;
    const pages = this.#pagesOf.get(signalId);
    if (!pages) this.#pagesOf.set(signalId, [pageId]);
    else if (pages.at(-1) !== pageId) pages.push(pageId);
  }
}
