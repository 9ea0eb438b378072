import type { Appended, Entry } from '../../src/engine/index.ts';
import type { PartitionLog } from '../../src/log/index.ts';

/** Appends one after the other, without waiting for each. */
export function appendAll<E extends Entry>(
  log: Pick<PartitionLog<E>, 'append'>,
  drafts: readonly E[],
): Promise<Appended<E>[]> {
  return Promise.all(drafts.map((draft) => log.append(draft)));
}
