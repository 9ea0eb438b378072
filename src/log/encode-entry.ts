import type { Entry } from '../engine/index.ts';

/** An entry as the log keeps it, and as every reader gets it. */
export interface EncodedEntry<E extends Entry> {
  readonly entry: E;
  readonly bytes: Uint8Array;
}

/**
 * How a log writes its entries.
 *
 * INVARIANT: the `entry` that `encode` gives is equal to `decode(bytes)`: a fold that was handed it live is where a fold that reads it
 * again will be. `decode` throws where the bytes are no entry.
 */
export interface EntryCodec<E extends Entry> {
  encode(draft: E): EncodedEntry<E>;
  decode(bytes: Uint8Array): E;
  /** Makes one entry of several of kind `alerts`, in their order; for logs where a message costs more than its bytes. */
  join?(parts: readonly EncodedEntry<E>[]): EncodedEntry<E>;
}

/** Entries as JSON. */
export function jsonCodec<E extends Entry>(): EntryCodec<E> {
  return { encode: encodeEntry, decode: (bytes) => decodeEntry(bytes) as E };
}

/**
 * An entry as bytes: JSON in UTF-8. What comes from outside (any text, labels named `__proto__`) comes back exactly, but for lone
 * surrogates, which UTF-8 does not have: they become U+FFFD at once. Numbers must be finite; a field that is undefined is left out.
 * Measured beside msgpackr on batches of 50 alerts: 0.9 against 1.6 us an alert to encode, 1.0 against 0.6 to decode; compressed they
 * take the same room.
 *
 * Reports are decoded data already and are handed over as they are, which spares the hot path a copy; everything else is read back.
 * Throws TypeError where the payload is no JSON (a cycle, a BigInt): a defect of the caller.
 */
export function encodeEntry<E extends Entry>(draft: E): EncodedEntry<E> {
  const text = JSON.stringify(draft);
  // JSON writes a lone surrogate as an escape. This finds them all, and a few harmless texts besides.
  const mayBeIllFormed = text.includes('\\ud');
  const bytes = Buffer.from(mayBeIllFormed ? JSON.stringify(wellFormed(JSON.parse(text))) : text);
  return { entry: draft.kind === 'alerts' && !mayBeIllFormed ? draft : (decodeEntry(bytes) as E), bytes };
}

/** Throws SyntaxError or TypeError when the bytes are no entry. */
export function decodeEntry(bytes: Uint8Array): Entry {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
  const value = JSON.parse(text) as Partial<Entry> | null;
  if (typeof value?.kind !== 'string' || !Number.isFinite(value.timeMs))
    throw new TypeError(`expected an entry with its kind and time, got ${text.slice(0, shownLength)}`);
  return value as Entry;
}

const shownLength = 80;

function wellFormed(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed();
  if (Array.isArray(value)) return value.map(wellFormed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key.toWellFormed(), wellFormed(inner)]),
  );
}
