/** Longer texts are seldom equal, and cost most to compare. */
const maxTextLength = 256;
/** Texts, and lists, that are remembered at a time: what a million signals have in common with themselves. */
const maxRemembered = 8_000_000;

/**
 * Gives what is equal in the rows of a checkpoint one place in memory, as it had before it was written: rows of many tables hold the same
 * texts and the same lists of labels, and decoding makes each anew. Lists of numbers get the form that takes least.
 *
 * Only lists in the given fields are shared: they must never be changed in place.
 */
export class Sharing {
  readonly #fields: ReadonlySet<string>;
  readonly #texts = new Map<string, string>();
  readonly #lists = new Map<string, readonly unknown[]>();

  constructor(fields: ReadonlySet<string>) {
    this.#fields = fields;
  }

  /** The value, which is plain data and nobody else's, with its parts replaced by equal ones. */
  share(value: unknown): unknown {
    if (typeof value === 'string') return this.#text(value);
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return this.#items(value);
    const object = value as Record<string, unknown>;
    for (const name in object) {
      const part = object[name];
      if (typeof part === 'string') object[name] = this.#text(part);
      else if (Array.isArray(part))
        object[name] = this.#fields.has(name) ? this.#list(part) : this.#items(part);
      else if (typeof part === 'object') this.share(part);
    }
    return object;
  }

  #items(items: unknown[]): unknown[] {
    if (isNumbers(items)) return Array.from(items);
    for (let i = 0; i < items.length; i++) items[i] = this.share(items[i]);
    return items;
  }

  #text(text: string): string {
    if (text.length > maxTextLength) return text;
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    if (this.#texts.size === maxRemembered) this.#texts.clear();
    this.#texts.set(text, text);
    return text;
  }

  #list(list: unknown[]): readonly unknown[] {
    const isOfNumbers = isNumbers(list);
    // Numbers cost much to write down, and a few of many tell lists apart well enough.
    const key = isOfNumbers ? list.slice(0, 4).join() : list.join('\u0000');
    const known = this.#lists.get(key);
    if (known && isSame(known, list)) return known;
    if (this.#lists.size === maxRemembered) this.#lists.clear();
    const kept = this.#items(list);
    this.#lists.set(key, kept);
    return kept;
  }
}

function isNumbers(items: readonly unknown[]): boolean {
  for (const item of items) if (typeof item !== 'number') return false;
  return items.length > 0;
}

function isSame(left: readonly unknown[], right: readonly unknown[]): boolean {
  if (left.length !== right.length) return false;
  for (let i = 0; i < left.length; i++) if (left[i] !== right[i]) return false;
  return true;
}
