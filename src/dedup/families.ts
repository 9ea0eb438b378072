import type { Table } from '../engine/index.ts';
import { masked, seriesOf, slotKind, type SplitText } from './split.ts';

/** Families of one shape as they are kept: the slots of each, the oldest first, `variable` where a slot is known to be one. */
export type ShapeRow = readonly (readonly string[])[];

/** Stands for a slot that is known to be a variable. */
export const variable = '\u0001';

/** So many different values make a variable of paths, addresses and the numbers of one series ... */
const leastValues = 3;
/** ... fewer where another text has a number or an address ... */
const leastBesideMasked = 2;
/**
 * ... and more of plain words. Measured on 192 pieces of eight systems of LogHub: with 3 different things are taken together in more of them,
 * with 5 and 6 in as many as with 4, and less is learned.
 */
const leastWords = 4;
/** Slots in which texts may differ at once and still be compared. */
const mostDiffering = 3;
const defaultLimits = { familiesPerShape: 64, families: 32_768 };
/** Texts of more slots are not learned from. */
const mostSlots = 128;
const none: readonly string[] = [];

/**
 * Learns from texts which of their words are variables: a slot that takes many values in texts that are equal otherwise (as in Drain, He
 * et al. 2017, which goes by a share of equal words instead). What is a variable stays one.
 *
 * All that it knows is in its table, a row a shape: at most 64 families a shape and 32,768 in all; beyond that the shapes that have
 * not changed for the longest time are forgotten. What it learns depends on the order of texts and not on how often each came.
 */
export class Families {
  readonly #table: Table<ShapeRow>;
  readonly #limits: typeof defaultLimits;
  #count = 0;

  constructor(table: Table<ShapeRow>, limits = defaultLimits) {
    this.#table = table;
    this.#limits = limits;
  }

  /** How many families are kept. */
  get count(): number {
    return this.#count;
  }

  /** Counts what is in the table, after it was filled. */
  restore(): void {
    this.#count = 0;
    for (const row of this.#table.values()) this.#count += row.length;
  }

  /** What is known of a shape. Whenever that changes it is another object. */
  row(key: string): ShapeRow | undefined {
    return this.#table.get(key);
  }

  /** Takes in a text. Gives the shapes of which texts may have another family now. */
  learn(key: string, { slots, fixedCount }: SplitText): readonly string[] {
    if (slots.length === 0 || slots.length > mostSlots) return none;
    const row = this.#table.get(key) ?? [];
    if (bestFamily(row, slots)) return none;
    const { family, others } = generalize(slots, row, fixedCount);
    const changed = family === slots ? [] : [key];
    if (others.length >= this.#limits.familiesPerShape) {
      const [forgotten] = others.splice(oldestUnlearned(others), 1);
      if (forgotten?.includes(variable)) changed.push(key);
    }
    // Put at the end again: the shapes that changed last are kept the longest.
    this.#table.delete(key);
    this.#table.set(key, [...others, family]);
    this.#count += others.length + 1 - row.length;
    this.#forgetOldest(changed);
    return changed;
  }

  /** The slots of the family to which a text belongs; its own when nothing is known of it. */
  familyOf(key: string, slots: readonly string[]): readonly string[] {
    const row = this.#table.get(key);
    return (row && bestFamily(row, slots)) ?? slots;
  }

  #forgetOldest(changed: string[]): void {
    while (this.#count > this.#limits.families) {
      const [oldest] = this.#table.entries();
      if (!oldest) return;
      const [key, row] = oldest;
      this.#count -= row.length;
      this.#table.delete(key);
      if (row.some((family) => family.includes(variable))) changed.push(key);
    }
  }
}

/** Of the families that take in the slots the one with the fewest variables, the oldest of equals. */
function bestFamily(row: ShapeRow, slots: readonly string[]): readonly string[] | undefined {
  let best: readonly string[] | undefined;
  let fewest = Infinity;
  for (const family of row) {
    const count = variablesIfTaken(family, slots);
    if (count < 0 || count >= fewest) continue;
    best = family;
    fewest = count;
  }
  return best;
}

/** How many variables a family has, or -1 when it does not take the slots in. */
function variablesIfTaken(family: readonly string[], slots: readonly string[]): number {
  let count = 0;
  for (let i = 0; i < slots.length; i++) {
    if (family[i] === variable) count++;
    else if (family[i] !== slots[i]) return -1;
  }
  return count;
}

function oldestUnlearned(row: ShapeRow): number {
  return Math.max(
    0,
    row.findIndex((family) => !family.includes(variable)),
  );
}

/** Makes variables of slots as long as others are found that differ in them alone; gives the family and those that it did not take in. */
function generalize(
  slots: readonly string[],
  row: ShapeRow,
  fixedCount: number,
): { readonly family: readonly string[]; readonly others: (readonly string[])[] } {
  let family = slots;
  let others = [...row];
  for (;;) {
    const places = findVariables(family, others, fixedCount);
    if (!places) return { family, others };
    const wider = family.map((slot, i) => (places.includes(i) ? variable : slot));
    others = others.filter((other) => variablesIfTaken(wider, other) < 0);
    family = wider;
  }
}

interface Difference {
  readonly places: readonly number[];
  readonly members: (readonly string[])[];
}

/** The fewest slots that are variables by the families that differ from this one in nothing else; of equally few those with the most families. */
function findVariables(
  family: readonly string[],
  others: ShapeRow,
  fixedCount: number,
): readonly number[] | null {
  const differences = differencesFrom(family, others);
  let best: readonly number[] | null = null;
  let mostMembers = 0;
  for (const { places } of differences) {
    if (best && places.length > best.length) continue;
    const members = differences
      .filter((difference) => difference.places.every((place) => places.includes(place)))
      .flatMap((difference) => difference.members);
    if (best && places.length === best.length && members.length <= mostMembers) continue;
    if (!areVariables(places, [family, ...members], fixedCount)) continue;
    best = places;
    mostMembers = members.length;
  }
  return best;
}

function differencesFrom(family: readonly string[], others: ShapeRow): readonly Difference[] {
  const byPlaces = new Map<string, Difference>();
  for (const other of others) {
    const places: number[] = [];
    for (let i = 0; i < family.length && places.length <= mostDiffering; i++) {
      if (family[i] !== other[i]) places.push(i);
    }
    if (places.length > mostDiffering) continue;
    const key = places.join();
    const found = byPlaces.get(key);
    if (found) found.members.push(other);
    else byPlaces.set(key, { places, members: [other] });
  }
  return [...byPlaces.values()];
}

/** Whether all of these slots are variables, by the values that they take in families that are equal otherwise. */
function areVariables(places: readonly number[], families: ShapeRow, fixedCount: number): boolean {
  let words = 0;
  for (const place of places) {
    const values = new Set(families.map((family) => family[place]!));
    const isKnown = values.delete(variable);
    const hasMasked = values.delete(masked);
    const kinds = [...values].map(slotKind);
    const isValue = kinds.every((kind) => kind === 'value' || kind === 'name') || isSeries(values);
    if (!isValue) words++;
    // Names of classes and the like are words, unless addresses stand there too: then they are hosts.
    const isWord = !isValue || (!hasMasked && kinds.includes('name') && !kinds.includes('value'));
    const least = isWord ? leastWords : hasMasked ? leastBesideMasked : leastValues;
    // Words in capitals are states and codes: they may stand where a variable is, but they make none.
    const count = kinds.filter((kind) => kind !== 'state').length + (hasMasked ? 1 : 0);
    if (!isKnown && count < least) return false;
  }
  const constants = fixedCount + constantsIn(families[0]!, places);
  return constants >= (words === 0 ? 1 : Math.max(2, 2 * words));
}

function constantsIn(family: readonly string[], places: readonly number[]): number {
  let count = 0;
  for (let i = 0; i < family.length; i++) {
    if (!places.includes(i) && family[i] !== variable && family[i] !== masked) count++;
  }
  return count;
}

/** Words that differ in their digits alone. Bare numbers that masking has left are codes, and no series. */
function isSeries(values: ReadonlySet<string>): boolean {
  const series = new Set([...values].map(seriesOf));
  return series.size === 1 && !series.has('') && [...values].every((value) => slotKind(value) === 'code');
}
