import type { Alert } from '../alert/index.ts';

/** What every decoder is told. */
export interface DecodeContext {
  /** When the report arrived, in milliseconds; stands in for missing times. */
  readonly nowMs: number;
  readonly resolveTimeoutMs: number;
  readonly defaultDomain: string;
  readonly domainLabel: string;
}

/** Valid alerts are kept even where others of the same report are not. Each error names the field and what was expected. */
export interface DecodeResult {
  readonly alerts: readonly Alert[];
  readonly errors: readonly string[];
  /** What the sender's protocol wants to hear, where that is more than a count. */
  readonly reply?: Readonly<Record<string, unknown>>;
}

/** Never throws: whatever is wrong with the bytes is in `errors`. */
export type Decode = (body: Uint8Array, context: DecodeContext) => DecodeResult;

const utf8 = new TextDecoder('utf-8');

/** Parses a body as JSON; what is wrong with it is said as an error of the whole body. */
export function parseJson(
  body: Uint8Array,
): { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: string } {
  if (body.length === 0) return { ok: false, error: 'body: expected JSON, got nothing' };
  try {
    return { ok: true, value: JSON.parse(utf8.decode(body)) };
  } catch (error) {
    return {
      ok: false,
      error: `body: expected JSON: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
}

/** Names the JSON type of a value, for error messages. */
export function typeName(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
