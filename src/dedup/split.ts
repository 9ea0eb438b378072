import { hasDirection, isWordUnit, placeholderEnd } from './tokens.ts';

/** What masking has replaced, whatever it was. */
export const masked = '<*>';
/** Stands for a slot in `SplitText.shape`. */
export const gap = '\u0001';

/**
 * A masked text in two parts: the slots, which are the words that may turn out to be variables, and the shape, which is all the rest.
 * Texts of different shape are never one family.
 */
export interface SplitText {
  /**
   * Everything that may not differ, in order, with a gap for each slot: signs and brackets, direction words and the first word, which
   * is what the text is about.
   */
  readonly shape: string;
  /** How many words the shape holds. */
  readonly fixedCount: number;
  /** In lower case but for words all in capitals; `masked` for what is nothing but placeholders. */
  readonly slots: readonly string[];
  /** Where each slot begins and ends in the text, in pairs. */
  readonly places: readonly number[];
}

/** Splits a masked text in one pass that looks a few units ahead. */
export function splitTemplate(template: string): SplitText {
  const slots: string[] = [];
  const places: number[] = [];
  let shape = '';
  let fixedCount = 0;
  const addSlot = (slot: string, from: number, to: number) => {
    shape += gap;
    slots.push(slot);
    places.push(from, to);
  };
  let isFirst = true;
  for (let position = 0; position < template.length;) {
    const unit = template.charCodeAt(position);
    if (isSpace(unit)) {
      position++;
      continue;
    }
    const end = partEnd(template, position);
    if (end === position) {
      shape += template[position++]!;
      if (isEmptyBracket(template, position, unit)) addSlot(masked, position, position);
      continue;
    }
    const part = template.slice(position, end);
    const slot = slotOf(part, isFirst);
    if (slot === null) {
      shape += ` ${part.toLowerCase()}`;
      fixedCount++;
    } else if (slot === masked && slots.at(-1) === masked && shape.endsWith(`${gap},`)) {
      // Of a list of values its length does not count: `10.0.0.1, 10.0.0.2`.
      shape = shape.slice(0, -1);
      places[places.length - 1] = end;
    } else addSlot(slot, position, end);
    isFirst = false;
    position = slot === masked ? restatedEnd(template, end) : end;
  }
  return { shape, fixedCount, slots, places };
}

/** The text again, with `slots` in place of its own: what is compared. */
export function joinSlots(shape: string, slots: readonly string[]): string {
  const pieces = shape.split(gap);
  let text = pieces[0] ?? '';
  let before = text.charCodeAt(text.length - 1);
  for (const [i, slot] of slots.entries()) {
    const piece = pieces[i + 1] ?? '';
    text += isWordUnit(before) || before === greater ? ` ${slot}${piece}` : slot + piece;
    // What was built is not looked at: that would make a text of its parts each time.
    const last = piece === '' ? slot : piece;
    if (last !== '') before = last.charCodeAt(last.length - 1);
  }
  return text;
}

/** What a slot holds says how much it takes until it counts as a variable. */
export type SlotKind = 'masked' | 'value' | 'name' | 'code' | 'state' | 'word';

/**
 * `value`: paths, addresses, host names and other parts with digits; `name`: words with dots between them, such as the names of hosts and
 * classes; `code`: a word with a short number, such as `node-12`; `state`: a word in capitals, such as `RUNNING`; else `word`.
 */
export function slotKind(slot: string): SlotKind {
  if (slot === masked) return 'masked';
  let digits = 0;
  let dots = 0;
  let hexLetters = 0;
  for (let i = 0; i < slot.length; i++) {
    const unit = slot.charCodeAt(i);
    if (unit === slash || unit === backslash || unit === at || unit === less) return 'value';
    if (unit === dot) dots++;
    else if (isDigit(unit)) digits++;
    else if (unit >= 97 && unit <= 102) hexLetters++;
  }
  if ((dots > 0 && digits > 0) || digits > 4) return 'value';
  if (hexLetters + digits === slot.length && slot.length >= 8) return 'value';
  if (dots > 1) return 'name';
  if (digits > 0) return 'code';
  return slot === slot.toLowerCase() ? 'word' : 'state';
}

/** A word without its digits: what `node-12` and `node-7` have in common. */
export function seriesOf(slot: string): string {
  let series = '';
  for (let i = 0; i < slot.length; i++) if (!isDigit(slot.charCodeAt(i))) series += slot[i]!;
  return series;
}

const dot = 46;
const slash = 47;
const colon = 58;
const less = 60;
const greater = 62;
const at = 64;
const backslash = 92;

/** The end of a word with all that holds it together (`a.b.c:80`, `/var/log`, `node-<num>`), or `start` when none begins there. */
function partEnd(text: string, start: number): number {
  let end = start;
  for (let lead = 1; lead <= 2 && isLeading(text.charCodeAt(start + lead - 1)); lead++) {
    if (isPiece(text, start + lead)) end = start + lead;
  }
  let hasDot = false;
  let isUrl = false;
  for (;;) {
    const piece = pieceEnd(text, end);
    if (piece > end) {
      end = piece;
      continue;
    }
    if (end === start) return start;
    const unit = text.charCodeAt(end);
    if (unit === dot) hasDot = true;
    if (isUrl ? isUrlUnit(unit) : isJoint(unit)) {
      let next = end + 1;
      while (next < end + 3 && isJoint(text.charCodeAt(next))) next++;
      if (!isPiece(text, next)) return unit === slash || unit === backslash ? end + 1 : end;
      end = next;
    } else if (unit === colon && isPartColon(text, end, hasDot)) {
      isUrl ||= text.charCodeAt(end + 1) === slash;
      end++;
      while (text.charCodeAt(end) === slash || text.charCodeAt(end) === backslash) end++;
    } else return end;
  }
}

/** `//` of a URL, `\` of a drive, the port of a host or the line of a file. */
function isPartColon(text: string, position: number, hasDot: boolean): boolean {
  const next = text.charCodeAt(position + 1);
  if (next === slash) return text.charCodeAt(position + 2) === slash;
  if (next === backslash) return true;
  return hasDot && (isDigit(next) || (next === less && isPiece(text, position + 1)));
}

function isPiece(text: string, position: number): boolean {
  return pieceEnd(text, position) > position;
}

/** The end of letters, digits or a placeholder. */
function pieceEnd(text: string, start: number): number {
  let end = start;
  while (end < text.length && isWordUnit(text.charCodeAt(end))) end++;
  if (end > start || text.charCodeAt(start) !== less) return end;
  const placeholder = placeholderEnd(text, start);
  return placeholder > start + 1 ? placeholder : start;
}

/** Null for a part that may not differ. */
function slotOf(part: string, isFirst: boolean): string | null {
  let letters = 0;
  let capitals = 0;
  let digits = 0;
  let slot = '';
  let from = 0;
  for (let i = 0; i < part.length; i++) {
    const unit = part.charCodeAt(i);
    if (unit === less) {
      slot += part.slice(from, i) + masked;
      from = placeholderEnd(part, i);
      i = from - 1;
    } else if (isDigit(unit)) digits++;
    else if (isWordUnit(unit)) {
      letters++;
      if (unit >= 65 && unit <= 90) capitals++;
    }
  }
  const isMasked = from > 0;
  if (isMasked && letters === 0) return masked;
  const hasNumber = isMasked || digits > 0;
  if (isFirst && !hasNumber) return null;
  slot += part.slice(from);
  if (isMasked) slot = maskRest(slot);
  const kind = slotKind(slot);
  // In a path or the name of a host `in` and `local` say nothing of what happened.
  if (kind !== 'value' && kind !== 'name' && hasDirection(part)) return null;
  return !hasNumber && capitals === letters && letters > 1 ? slot : slot.toLowerCase();
}

/** Short numbers in an identifier that holds a long one are part of it: all of `task_<num>_0024_m_<num>` counts as masked. */
function maskRest(slot: string): string {
  if (!slot.includes('_')) return slot;
  const isNumber = (segment: string) => segment !== '' && seriesOf(segment) === '';
  return slot
    .split('_')
    .map((segment) => (isNumber(segment) ? masked : segment))
    .join('_');
}

/** A quantity that is said once more in brackets, as in `2048 bytes (2 KiB)`: the end of the brackets. */
function restatedEnd(text: string, end: number): number {
  for (const restated of [' (<size>)', ' (<duration>)'])
    if (text.startsWith(restated, end)) return end + restated.length;
  return end;
}

/** Brackets with nothing between them that stand by themselves hold a value that is missing; those of `f()` do not. */
function isEmptyBracket(text: string, position: number, open: number): boolean {
  const close = open === 40 ? 41 : open === 91 ? 93 : 0;
  if (close === 0 || (position > 1 && !isSpace(text.charCodeAt(position - 2)))) return false;
  let end = position;
  while (isSpace(text.charCodeAt(end))) end++;
  return text.charCodeAt(end) === close;
}

/** Control characters too, so that none is taken for a gap. */
function isSpace(unit: number): boolean {
  return unit <= 32 || unit === 160;
}

function isDigit(unit: number): boolean {
  return unit >= 48 && unit <= 57;
}

/** What a path or a name may begin with: `. / \ _ ~ $`. */
function isLeading(unit: number): boolean {
  return unit === dot || unit === slash || unit === backslash || unit === 95 || unit === 126 || unit === 36;
}

function isJoint(unit: number): boolean {
  return isLeading(unit) || (unit < 128 && '-@*#%&!?+'.includes(String.fromCharCode(unit)));
}

function isUrlUnit(unit: number): boolean {
  return isJoint(unit) || (unit < 128 && '=:,;'.includes(String.fromCharCode(unit)));
}
