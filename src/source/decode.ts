import type { Alert } from '../alert/index.ts';

/** What every decoder is told. */
export interface DecodeContext {
  /** When the report arrived, in milliseconds; stands in for missing times. */
  readonly nowMs: number;
  /** How long an alert counts as firing that says nothing of its end, from a sender that repeats what fires. */
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

/** Parses a body as JSON; what is wrong with it is said as an error of the whole body, or of what `path` names. */
export function parseJson(
  body: Uint8Array,
  path = 'body',
): { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: string } {
  if (body.length === 0) return { ok: false, error: `${path}: expected JSON, got nothing` };
  try {
    return { ok: true, value: JSON.parse(utf8.decode(body)) };
  } catch (error) {
    return {
      ok: false,
      error: `${path}: expected JSON: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
}

/** Parses a body that must be a JSON object. */
export function readBodyObject(
  body: Uint8Array,
):
  | { readonly ok: true; readonly value: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly error: string } {
  const json = parseJson(body);
  if (!json.ok) return json;
  if (isObject(json.value)) return { ok: true, value: json.value };
  return { ok: false, error: `body: expected an object, got ${typeName(json.value)}` };
}

/** Reads each item of a list; `path` names the list in errors, so that the third item of `alerts` is `alerts[2]`. */
export function readList(
  list: unknown,
  path: string,
  read: (item: unknown, path: string, index: number) => ItemOutcome,
): DecodeResult {
  if (!Array.isArray(list))
    return { alerts: [], errors: [`${path}: expected an array of alerts, got ${typeName(list)}`] };
  const items: readonly unknown[] = list;
  const found = new ItemsRead();
  for (let index = 0; index < items.length; index++)
    found.add(read(items[index], `${path}[${index}]`, index));
  return found.result(path);
}

/** What was read of a list. Of many errors the first ones are kept, and how many more there are: a body may hold millions of items. */
export class ItemsRead {
  readonly #alerts: Alert[] = [];
  readonly #errors: string[] = [];
  #untoldCount = 0;

  add(outcome: ItemOutcome): void {
    if (outcome.ok) this.#alerts.push(outcome.alert);
    else if (this.#errors.length < maxErrors) this.#errors.push(outcome.error);
    else this.#untoldCount++;
  }

  /** `path` names the list. */
  result(path: string): DecodeResult {
    const untold = this.#untoldCount;
    const errors =
      untold === 0
        ? this.#errors
        : [...this.#errors, `${path}: expected alerts, got ${untold} more that are none`];
    return { alerts: this.#alerts, errors };
  }
}

const maxErrors = 1000;

/** An item of a list, or what is wrong with it. */
export type ItemOutcome =
  | { readonly ok: true; readonly alert: Alert }
  | { readonly ok: false; readonly error: string };

/** Names the JSON type of a value, for error messages; `nothing` for an absent one. */
export function typeName(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

/** Shows a value in an error message, cut to a length that fits into one. */
export function clip(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing');
  const shown = text.length > maxShownLength ? `${text.slice(0, maxShownLength)}...` : text;
  return shown.toWellFormed();
}

const maxShownLength = 80;

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
