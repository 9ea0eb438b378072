import { labelPairs, labelValue, type Alert, type Labels } from '../alert/index.ts';
import { border, Families, variable, type ShapeRow } from './families.ts';
import { maskTemplate } from './mask.ts';
import { createSignatureOfHashes, signatureLength } from './minhash.ts';
import { joinSlots, masked, slotKind, splitTemplate, type SplitText } from './split.ts';
import { hashTokens } from './tokens.ts';

/** What dedup makes of the text of an alert: equal for all alerts whose texts differ in variables alone. */
export interface Sketch {
  /** `alertname` and text with all variables left out: what is compared. */
  readonly content: string;
  readonly signature: readonly number[];
  /** The tokens in which alerts of one signal must not differ, in order. */
  readonly telling: string;
}

/** A sketch, and what it was made of. */
export interface Sketched {
  readonly sketch: Sketch;
  /** The text for people: masked, with `<*>` for what has turned out to be a variable. */
  readonly template: string;
  /** What was learned of the text is kept under this key. */
  readonly shapeKey: string;
}

interface Known extends Sketched {
  /** It holds as long as this is what is known of the shape. */
  readonly row: ShapeRow | undefined;
}

const maxCached = 8192;

/**
 * Makes sketches, and keeps the last ones, so that masked texts that come again cost one look-up. The caches are derived: what they
 * hold changes no result.
 */
export class Sketches {
  readonly #families: Families;
  readonly #known = new Map<string, Known>();
  readonly #byContent = new Map<string, Sketch>();
  readonly #buffer = new Uint32Array(signatureLength);

  constructor(families: Families) {
    this.#families = families;
  }

  /**
   * The sketch of a new alert, from which is also learned: `changed` gets the shapes of which texts may have another sketch from now on.
   * `template` is the masked text.
   */
  learn(domain: string, labels: Labels, text: string, template: string, changed: string[]): Sketched {
    const name = nameBefore(labels, text);
    const key = `${domain}\n${name}\n${template}`;
    const known = this.#known.get(key);
    if (known && this.#families.row(known.shapeKey) === known.row) return known;
    const split = splitTemplate(template);
    const shapeKey = `${domain}\n${name}\n${split.shape}`;
    const joined = split.slots.join(border);
    for (const shape of this.#families.learn(shapeKey, split, joined)) changed.push(shape);
    const made = this.#make(name, template, split, shapeKey, joined);
    if (this.#known.size >= maxCached) this.#known.clear();
    this.#known.set(key, made);
    return made;
  }

  /** The sketch of what is known already, such as a signal. */
  of(domain: string, labels: Labels, text: string, template: string): Sketched {
    const name = nameBefore(labels, text);
    const split = splitTemplate(template);
    return this.#make(name, template, split, `${domain}\n${name}\n${split.shape}`);
  }

  #make(
    name: string,
    template: string,
    split: SplitText,
    shapeKey: string,
    joined = split.slots.join(border),
  ): Known {
    const family = this.#families.familyOf(shapeKey, split.slots, joined);
    const isOwn = family === split.slots;
    const slots = isOwn ? family : family.map((slot) => (slot === variable ? masked : slot));
    return {
      sketch: this.#sketchOf(name, split.shape, slots, isOwn ? joined : slots.join(border)),
      template: isOwn ? template : showVariables(template, split, family),
      shapeKey,
      row: this.#families.row(shapeKey),
    };
  }

  /** `joined` is the slots with a border between them. */
  #sketchOf(name: string, shape: string, slots: readonly string[], joined: string): Sketch {
    const content = `${name}\n${shape}${border}${joined}`;
    const cached = this.#byContent.get(content);
    if (cached) return cached;
    const { hashes, count, telling } = hashTokens(`${name}\n${joinSlots(shape, slots)}`);
    createSignatureOfHashes(hashes, count, this.#buffer);
    const made = { content, signature: copyOf(this.#buffer), telling };
    if (this.#byContent.size >= maxCached) this.#byContent.clear();
    this.#byContent.set(content, made);
    return made;
  }
}

/**
 * Whether two texts, similar as they may be, differ in nothing but words: not in their structure, and in no number, address, state or code.
 * Without this, `authentication failure ... user=root` and the same without a user would be similar enough.
 */
export function differInWords(a: Sketch, b: Sketch): boolean {
  const [shape, ...slots] = a.content.split(border);
  const [otherShape, ...others] = b.content.split(border);
  if (shape !== otherShape || slots.length !== others.length) return false;
  return slots.every((slot, i) => slot === others[i] || (isWord(slot) && isWord(others[i]!)));
}

/** The text of an alert that people read: summary, else description, else its name, else its first label. */
export function textOf({ labels, annotations }: Pick<Alert, 'labels' | 'annotations'>): string {
  const text =
    labelValue(annotations, 'summary') ||
    labelValue(annotations, 'description') ||
    labelValue(labels, 'alertname');
  if (text !== '') return text;
  for (const [name, value] of labelPairs(labels)) return `${name}=${value}`;
  return '';
}

function isWord(slot: string): boolean {
  const kind = slotKind(slot);
  return kind === 'word' || kind === 'name';
}

/** The masked name of the alert, where the text does not say it already. */
function nameBefore(labels: Labels, text: string): string {
  const name = labelValue(labels, 'alertname');
  return name === '' || name === text ? '' : maskTemplate(name);
}

function showVariables(template: string, { places }: SplitText, family: readonly string[]): string {
  if (!family.includes(variable)) return template;
  let shown = '';
  let done = 0;
  for (const [i, slot] of family.entries()) {
    if (slot !== variable) continue;
    shown += template.slice(done, places[2 * i]) + masked;
    done = places[2 * i + 1]!;
  }
  return shown + template.slice(done);
}

/** Fractions, so that a copy is made for numbers of any size. */
const blank: readonly number[] = Array.from({ length: signatureLength }, () => 0.5);

/** Measured: 0.1 us, where spreading costs 2.3 us. */
function copyOf(signature: Uint32Array): number[] {
  const copy = blank.slice();
  for (let i = 0; i < signatureLength; i++) copy[i] = signature[i]!;
  return copy;
}
