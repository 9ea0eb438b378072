/** How many numbers the state takes. */
export const newsSize = 2;

export interface NewsSettings {
  /** After this many points an excursion is forgotten. */
  readonly memoryPoints: number;
  /** How far an excursion has to be exceeded right after it to be news again. */
  readonly factor: number;
  /** What is taken off the surprise of a point that is no news, in nats. */
  readonly discount: number;
}

const place = { height: 0, age: 1 } as const;

/**
 * Lowers the surprise (in nats) of what has been told already: a point is news when it surprises more than the strongest
 * one of late, whose memory fades evenly. So the first row of an excursion keeps its score, the rest of it goes
 * quiet, and something worse than it still speaks.
 */
export function discountOldNews(
  state: Float64Array,
  at: number,
  settings: NewsSettings,
  surprise: number,
): number {
  const age = state[at + place.age]! + 1;
  const remembered =
    age >= settings.memoryPoints ? 0 : state[at + place.height]! * (1 - age / settings.memoryPoints);
  if (surprise >= remembered) {
    state[at + place.height] = surprise;
    state[at + place.age] = 0;
  } else state[at + place.age] = age;
  return surprise > settings.factor * remembered ? surprise : surprise - settings.discount;
}
