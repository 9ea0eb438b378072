import type { CandidateChange, Link } from '../incident/index.ts';
import { copyCandidate, type CandidateRow } from './candidate-row.ts';

export type ChangeWord = CandidateChange['change'];

const strength: readonly ChangeWord[] = [
  'updated',
  'joined',
  'resolved',
  'reopened',
  'opened',
  'split',
  'merged',
];

/** What changes in a frame: one change per candidate, of which the strongest word counts. */
export class CandidateChanges {
  #noted = new Map<string, { change: ChangeWord; links: Link[] }>();

  note({ candidate: { id } }: CandidateRow, change: ChangeWord, links: readonly Link[]): void {
    const noted = this.#noted.get(id);
    if (!noted) {
      this.#noted.set(id, { change, links: [...links] });
      return;
    }
    if (strength.indexOf(change) > strength.indexOf(noted.change)) noted.change = change;
    noted.links.push(...links);
  }

  /** The changes noted since the last call, each with a copy of its candidate, in the order of their first note. */
  take(find: (id: string) => CandidateRow | undefined): CandidateChange[] {
    if (this.#noted.size === 0) return [];
    const changes: CandidateChange[] = [];
    for (const [id, { change, links }] of this.#noted) {
      const row = find(id);
      if (row) changes.push({ change, candidate: copyCandidate(row), links });
    }
    this.#noted = new Map();
    return changes;
  }
}
