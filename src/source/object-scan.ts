const quote = 0x22;
const backslash = 0x5c;
const open = 0x7b;
const close = 0x7d;
const openList = 0x5b;
const closeList = 0x5d;
const colon = 0x3a;
const comma = 0x2c;

/** The text of a string in the bytes, without its quotes: from the offset `start` up to `end`. */
export interface Span {
  start: number;
  end: number;
}

/**
 * Finds where a JSON object ends in bytes of UTF-8, and where its own `startsAt` and `endsAt` say their times. It holds what was found
 * last, so that nothing is allocated. It does not say that the bytes are JSON: of what is, it finds the right end.
 */
export class ObjectScan {
  /** The offset behind the object. */
  end = 0;
  /** False where a key or a time is written with escapes, or a time is said twice: what the spans hold is not what the object says then. */
  isPlain = false;
  /** Empty (`start` is -1) where the time is not said or is no string. */
  readonly startsAt: Span = { start: -1, end: -1 };
  readonly endsAt: Span = { start: -1, end: -1 };
  #hasStartsAt = false;
  #hasEndsAt = false;
  /** Of the string that was read last. */
  #hasEscape = false;

  /** Scans the object that begins at `start`; false where it does not end. */
  scan(bytes: Uint8Array, start: number): boolean {
    this.isPlain = true;
    this.startsAt.start = this.endsAt.start = -1;
    this.#hasStartsAt = this.#hasEndsAt = false;
    let depth = 0;
    let isValue = false;
    let span: Span | null = null;
    for (let at = start; at < bytes.length; at++) {
      const byte = bytes[at]!;
      if (byte === quote) {
        const from = at + 1;
        at = this.#stringEnd(bytes, from);
        if (span && isValue) {
          span.start = from;
          span.end = at;
          span = null;
        } else if (depth === 1 && !isValue) {
          span = this.#timeOf(bytes, from, at);
        } else continue;
        if (this.#hasEscape) this.isPlain = false;
      } else if (byte === colon) {
        isValue = true;
      } else if (byte === comma) {
        isValue = false;
        span = null;
      } else if (byte === open || byte === openList) {
        depth++;
        isValue = false;
        span = null;
      } else if (byte === close || byte === closeList) {
        if (--depth > 0) continue;
        this.end = at + 1;
        return true;
      }
    }
    return false;
  }

  /** Where the string ends whose text begins at `from`: the offset of its last quote. */
  #stringEnd(bytes: Uint8Array, from: number): number {
    this.#hasEscape = false;
    let at = from;
    for (; at < bytes.length && bytes[at] !== quote; at++) {
      if (bytes[at] !== backslash) continue;
      this.#hasEscape = true;
      at++;
    }
    return at;
  }

  /** The span to fill when the key is one of a time. */
  #timeOf(bytes: Uint8Array, from: number, to: number): Span | null {
    if (isText(bytes, from, to, startsAtKey)) {
      if (this.#hasStartsAt) this.isPlain = false;
      this.#hasStartsAt = true;
      return this.startsAt;
    }
    if (!isText(bytes, from, to, endsAtKey)) return null;
    if (this.#hasEndsAt) this.isPlain = false;
    this.#hasEndsAt = true;
    return this.endsAt;
  }
}

const startsAtKey = Buffer.from('startsAt');
const endsAtKey = Buffer.from('endsAt');

function isText(bytes: Uint8Array, from: number, to: number, text: Uint8Array): boolean {
  if (to - from !== text.length) return false;
  for (let i = 0; i < text.length; i++) if (bytes[from + i] !== text[i]) return false;
  return true;
}
