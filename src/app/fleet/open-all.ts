/**
 * What is being opened, once all of it is. `onOpened` is told of each, also where another could not be opened: what nobody closes keeps its process
 * from ending. Rejects as the first of those that did.
 */
export async function openAll<Opened>(
  opening: readonly Promise<Opened>[],
  onOpened: (opened: Opened) => void,
): Promise<Opened[]> {
  const outcomes = await Promise.allSettled(opening);
  for (const outcome of outcomes) if (outcome.status === 'fulfilled') onOpened(outcome.value);
  return Promise.all(opening);
}
