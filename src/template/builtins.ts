import { equal, isLess } from './compare.ts';
import { CallError } from './error.ts';
import { sprintf } from './format.ts';

import { isString, print, sprint, sprintln } from './print.ts';
import {
  asText,
  GoList,
  GoMap,
  GoNamedInt,
  GoNilPointer,
  GoStruct,
  isTrue,
  SafeText,
  typeName,
  type GoFunction,
  type GoValue,
} from './value.ts';

const anything: Pick<GoFunction, 'parameters' | 'rest'> = { parameters: [], rest: 'any' };
const two: Pick<GoFunction, 'parameters'> = { parameters: ['any', 'any'] };

/** The functions of Go's text/template. `and` and `or` are here for their names: the evaluator does them, for they stop early. */
export const builtins: Readonly<Record<string, GoFunction>> = {
  and: {
    parameters: ['any'],
    rest: 'any',
    call: (...values) => values.find((value) => !isTrue(value)) ?? null,
  },
  or: { parameters: ['any'], rest: 'any', call: (...values) => values.find(isTrue) ?? null },
  not: { parameters: ['any'], call: (value = null) => !isTrue(value) },
  eq: { parameters: ['any'], rest: 'any', call: (first = null, ...others) => equal(first, others) },
  ne: { ...two, call: (a = null, b = null) => !equal(a, [b]) },
  lt: { ...two, call: (a = null, b = null) => isLess(a, b) },
  le: { ...two, call: (a = null, b = null) => isLess(a, b) || equal(a, [b]) },
  gt: { ...two, call: (a = null, b = null) => !isLess(a, b) && !equal(a, [b]) },
  ge: { ...two, call: (a = null, b = null) => !isLess(a, b) },
  len: { parameters: ['any'], call: (value = null) => length(value) },
  index: {
    parameters: ['any'],
    rest: 'any',
    call: (item = null, ...indexes) => indexes.reduce(index, notNil(item, 'index')),
  },
  slice: {
    parameters: ['any'],
    rest: 'any',
    call: (item = null, ...indexes) => slice(notNil(item, 'slice'), indexes),
  },
  call: { parameters: ['any'], rest: 'any', call: (item = null) => callValue(item) },
  print: { ...anything, call: (...values) => sprint(values) },
  printf: {
    parameters: ['string'],
    rest: 'any',
    call: (format, ...values) => sprintf(asText(format), values),
  },
  println: { ...anything, call: (...values) => sprintln(values) },
  html: { ...anything, call: (...values) => escapeHtml(textOf(values)) },
  js: { ...anything, call: (...values) => escapeJs(textOf(values)) },
  urlquery: { ...anything, call: (...values) => queryEscape(textOf(values)) },
};

/** The text that html, js and urlquery work on. */
export function textOf(values: readonly GoValue[]): string {
  const [first = null, ...others] = values;
  if (others.length === 0)
    return first instanceof GoStruct ? print(first) : first === null ? '<no value>' : print(first);
  return sprint(
    values.map((value) => (value === null ? '<no value>' : value instanceof GoStruct ? print(value) : value)),
  );
}

/** Templates cannot get hold of a function; Go says so in these words. */
function callValue(value: GoValue): never {
  throw new CallError(value === null ? 'call of nil' : `non-function of type ${typeName(value)}`);
}

function notNil(item: GoValue, what: string): GoValue {
  if (item === null) throw new CallError(`${what} of untyped nil`);
  return item;
}

/** Strings are counted in bytes of UTF-8, as in Go. */
function length(value: GoValue): bigint {
  if (value instanceof GoNilPointer) throw new CallError('len of nil pointer');
  if (value instanceof GoList) return BigInt(value.items.length);
  if (value instanceof GoMap) return BigInt(value.entries.size);
  if (isString(value)) return BigInt(Buffer.byteLength(print(value)));
  throw new CallError(
    value === null ? 'len of nil pointer' : `len of type ${typeName(value).replace('*', '')}`,
  );
}

function index(item: GoValue, at: GoValue): GoValue {
  if (item === null || item instanceof GoNilPointer) throw new CallError('index of nil pointer');
  if (item instanceof GoMap) {
    if (at === null) throw new CallError('value is nil; should be of type string');
    if (typeof at !== 'string') throw new CallError(`value has type ${typeName(at)}; should be string`);
    return item.entries.get(at) ?? item.zero;
  }
  if (item instanceof GoList)
    return item.items[position(at, item.items.length, item.items.length - 1)] ?? null;
  if (isString(item)) {
    const bytes = Buffer.from(print(item));
    return BigInt(bytes[position(at, bytes.length, bytes.length - 1)] ?? 0);
  }
  throw new CallError(`can't index item of type ${typeName(item).replace('*', '')}`);
}

function slice(item: GoValue, indexes: readonly GoValue[]): GoValue {
  if (indexes.length > 3) throw new CallError(`too many slice indexes: ${indexes.length}`);
  if (!isString(item) && !(item instanceof GoList))
    throw new CallError(`can't slice item of type ${typeName(item)}`);
  if (isString(item) && indexes.length === 3) throw new CallError('cannot 3-index slice a string');
  const bytes = item instanceof GoList ? null : Buffer.from(print(item));
  const size = item instanceof GoList ? item.items.length : (bytes?.length ?? 0);
  const positions = indexes.map((at) => position(at, size, size));
  const [start = 0, end = size, capacity = size] = positions;
  if (start > end) throw new CallError(`invalid slice index: ${start} > ${end}`);
  if (end > capacity) throw new CallError(`invalid slice index: ${end} > ${capacity}`);
  if (item instanceof GoList) return new GoList(item.typeName, item.items.slice(start, end), item.methods);
  const text = (bytes ?? Buffer.alloc(0)).subarray(start, end).toString('utf8');
  return item instanceof SafeText ? new SafeText(item.typeName, text) : text;
}

function position(at: GoValue, size: number, largest: number): number {
  const value = at instanceof GoNamedInt ? at.value : at;
  if (value === null) throw new CallError('cannot index slice/array with nil');
  if (typeof value !== 'bigint') throw new CallError(`cannot index slice/array with type ${typeName(value)}`);
  if (value < 0n || value > BigInt(size)) throw new CallError(`index out of range: ${value}`);
  if (value > BigInt(largest)) throw new CallError('reflect: slice index out of range');
  return Number(value);
}

const htmlReplacements: Readonly<Record<string, string>> = {
  '\0': '\ufffd',
  '"': '&#34;',
  "'": '&#39;',
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
};

/** As Go's html.EscapeString, and text/template's `html`. */
export function escapeHtml(text: string): string {
  // oxlint-disable-next-line no-control-regex -- NUL has no place in HTML
  return text.replaceAll(/[\0"'&<>]/g, (character) => htmlReplacements[character] ?? character);
}

function escapeJs(text: string): string {
  // oxlint-disable-next-line no-control-regex -- these are the ones to be escaped
  return text.replaceAll(/[\\'"<>&=\u0000-\u001f]|[^\u0000-\u007f]/gu, (character) => {
    if (character === '\\' || character === "'" || character === '"') return `\\${character}`;
    const hex = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
    // Go leaves what can be printed beyond ASCII as it is.
    return character > '\u007f' && /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(character) ? character : `\\u${hex}`;
  });
}

/** As Go's url.QueryEscape. */
export function queryEscape(text: string): string {
  return encodeURIComponent(text.toWellFormed())
    .replaceAll(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+');
}
