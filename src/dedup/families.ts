import type { Table } from '../engine/index.ts';
import { masked, seriesOf, slotKind, type SplitText } from './split.ts';

/**
 * Families of one shape as they are kept, the oldest first: the slots of each in one string, `variable` where a slot is known to be one.
 * Strings, since as many arrays of words keep the garbage collector busier than all the rest of dedup.
 */
export type ShapeRow = readonly string[];

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
/** Between the slots of a family. */
export const border = '\u0002';
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

  /** Takes in a text. Gives the shapes of which texts may have another family now. `text` is the slots with a border between them. */
  learn(key: string, { slots, fixedCount }: SplitText, text = slots.join(border)): readonly string[] {
    if (slots.length === 0 || slots.length > mostSlots) return none;
    const row = this.#table.get(key);
    if (!row) {
      this.#table.set(key, [text]);
      this.#count++;
      if (this.#count <= this.#limits.families) return none;
      const forgotten: string[] = [];
      this.#forgetOldest(forgotten);
      return forgotten;
    }
    if (bestFamily(row, text, slots) !== undefined) return none;
    const { family, others } = generalize(text, row, fixedCount);
    const changed = family === text ? [] : [key];
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
  familyOf(key: string, slots: readonly string[], text = slots.join(border)): readonly string[] {
    const row = this.#table.get(key);
    const family = row && bestFamily(row, text, slots);
    return family === undefined || family === text ? slots : family.split(border);
  }

  /** An eighth at once: to find the oldest row costs a walk over those that were deleted before it. */
  #forgetOldest(changed: string[]): void {
    if (this.#count <= this.#limits.families) return;
    const wanted = this.#limits.families - (this.#limits.families >> 3);
    for (const [key, row] of this.#table.entries()) {
      if (this.#count <= wanted) return;
      this.#count -= row.length;
      this.#table.delete(key);
      if (row.some((family) => family.includes(variable))) changed.push(key);
    }
  }
}

/** Of the families that take in the slots the one with the fewest variables, the oldest of equals. `text` is the slots in one string. */
function bestFamily(row: ShapeRow, text: string, slots: readonly string[]): string | undefined {
  if (row.includes(text)) return text;
  let best: string | undefined;
  let fewest = Infinity;
  for (const family of row) {
    if (!family.includes(variable)) continue;
    const count = variablesIfTaken(family.split(border), slots);
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
  text: string,
  row: ShapeRow,
  fixedCount: number,
): { readonly family: string; readonly others: string[] } {
  let family = text;
  let others = [...row];
  while (others.length > 0) {
    const slots = family.split(border);
    const places = findVariables(slots, others, fixedCount);
    if (!places) break;
    const wider = slots.map((slot, i) => (places.includes(i) ? variable : slot));
    others = others.filter((other) => variablesIfTaken(wider, other.split(border)) < 0);
    family = wider.join(border);
  }
  return { family, others };
}

type Slots = readonly string[];

interface Difference {
  readonly places: readonly number[];
  readonly members: Slots[];
}

/** The fewest slots that are variables by the families that differ from this one in nothing else; of equally few those with the most families. */
function findVariables(family: Slots, others: ShapeRow, fixedCount: number): readonly number[] | null {
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

function differencesFrom(family: Slots, others: ShapeRow): readonly Difference[] {
  const byPlaces = new Map<string, Difference>();
  for (const text of others) {
    const places = differingPlaces(family, text);
    if (!places) continue;
    const key = places.join();
    const found = byPlaces.get(key);
    if (found) found.members.push(text.split(border));
    else byPlaces.set(key, { places, members: [text.split(border)] });
  }
  return [...byPlaces.values()];
}

/** Null when there are too many. Most families are told apart by their first words, before the other is taken apart. */
function differingPlaces(family: Slots, other: string): number[] | null {
  const places: number[] = [];
  for (let i = 0, from = 0; i < family.length; i++) {
    const next = other.indexOf(border, from);
    const end = next < 0 ? other.length : next;
    const slot = family[i]!;
    if (end - from !== slot.length || !other.startsWith(slot, from)) {
      if (places.length === mostDiffering) return null;
      places.push(i);
    }
    from = end + 1;
  }
  return places;
}

/** Whether all of these slots are variables, by the values that they take in families that are equal otherwise. */
function areVariables(places: readonly number[], families: readonly Slots[], fixedCount: number): boolean {
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

function constantsIn(family: Slots, places: readonly number[]): number {
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
