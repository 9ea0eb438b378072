import { compareCodePoints } from '../alert/index.ts';
import type { GoTime } from './time.ts';

/**
 * A value of Go as a template sees it. A string is a `string`, an int of any width a `bigint`, a float64 a `number`, nil `null`; the
 * kinds that JavaScript does not have are classes with Go's type name.
 */
export type GoValue =
  | string
  | boolean
  | bigint
  | number
  | null
  | GoList
  | GoMap
  | GoStruct
  | GoNilPointer
  | GoNamedInt
  | GoTime
  | SafeText;

/** What a parameter takes. `any` takes every value, and nil. */
export type ParameterType =
  | 'string'
  | 'int'
  | 'any'
  | '[]string'
  | 'time.Time'
  | 'time.Duration'
  | '[]interface {}';

/** A function or a bound method. `call` gets as many arguments as it said, checked for their types; it may throw a `CallError`. */
export interface GoFunction {
  readonly parameters: readonly ParameterType[];
  /** The type of any number of further arguments. */
  readonly rest?: ParameterType;
  call(...values: GoValue[]): GoValue;
}

export type Methods = Readonly<Record<string, GoFunction>>;

const noMethods: Methods = {};

/** A slice, such as `[]string` or `template.Alerts`. */
export class GoList {
  readonly typeName: string;
  readonly items: readonly GoValue[];
  readonly methods: Methods;

  constructor(typeName: string, items: readonly GoValue[], methods: Methods = noMethods) {
    this.typeName = typeName;
    this.items = items;
    this.methods = methods;
  }
}

/** A map with strings as keys, walked in their order. `zero` is what an absent key has. */
export class GoMap {
  readonly typeName: string;
  readonly entries: ReadonlyMap<string, GoValue>;
  readonly zero: GoValue;
  readonly methods: Methods;

  constructor(
    typeName: string,
    entries: Iterable<readonly [string, GoValue]>,
    zero: GoValue,
    methods: Methods = noMethods,
  ) {
    this.typeName = typeName;
    this.entries = new Map([...entries].sort(([a], [b]) => compareCodePoints(a, b)));
    this.zero = zero;
    this.methods = methods;
  }
}

/** A struct. With `isPointer` it was handed over by its address, which shows in messages and in `%v`. */
export class GoStruct {
  readonly typeName: string;
  readonly fields: ReadonlyMap<string, GoValue>;
  readonly isPointer: boolean;
  /** What is printed of it: all but the fields that Alertmanager's own does not have. */
  readonly printed: readonly (readonly [string, GoValue])[];

  constructor(
    typeName: string,
    fields: Readonly<Record<string, GoValue>>,
    {
      isPointer = false,
      unprinted = {},
    }: { isPointer?: boolean; unprinted?: Readonly<Record<string, GoValue>> } = {},
  ) {
    this.typeName = typeName;
    this.fields = new Map(Object.entries({ ...fields, ...unprinted }));
    this.isPointer = isPointer;
    this.printed = Object.entries(fields);
  }
}

/** A pointer to nothing: false in conditions, an error when a field is asked for. */
export class GoNilPointer {
  readonly typeName: string;

  constructor(typeName: string) {
    this.typeName = typeName;
  }
}

/** An integer that prints as a text: a duration, a month, a weekday. */
export class GoNamedInt {
  readonly typeName: string;
  readonly value: bigint;
  readonly text: string;
  readonly methods: Methods;

  constructor(typeName: string, value: bigint, text: string, methods: Methods = noMethods) {
    this.typeName = typeName;
    this.value = value;
    this.text = text;
    this.methods = methods;
  }
}

/** A text that its author vouches for: html/template does not escape it where its kind belongs. */
export class SafeText {
  readonly typeName: 'template.HTML' | 'template.URL';
  readonly text: string;

  constructor(typeName: 'template.HTML' | 'template.URL', text: string) {
    this.typeName = typeName;
    this.text = text;
  }
}

export function stringList(items: readonly string[]): GoList {
  return new GoList('[]string', items);
}

/** The text that a parameter of type string was given. */
export function asText(value: GoValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** Go's name of the value's type, as in messages and `%T`. */
export function typeName(value: GoValue): string {
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'boolean':
      return 'bool';
    case 'bigint':
      return 'int';
    case 'number':
      return 'float64';
    default:
      if (value === null) return '<nil>';
      return value instanceof GoStruct && value.isPointer ? `*${value.typeName}` : value.typeName;
  }
}

/** The method of that name, or null. */
export function methodOf(value: GoValue, name: string): GoFunction | null {
  if (value === null || typeof value !== 'object' || !('methods' in value)) return null;
  return Object.hasOwn(value.methods, name) ? (value.methods[name] ?? null) : null;
}

/** Go's truth: not the zero of its type, not empty; structs and times are always true. */
export function isTrue(value: GoValue): boolean {
  if (value === null || value instanceof GoNilPointer) return false;
  if (value instanceof GoList) return value.items.length > 0;
  if (value instanceof GoMap) return value.entries.size > 0;
  if (value instanceof GoNamedInt) return value.value !== 0n;
  if (value instanceof SafeText) return value.text !== '';
  return typeof value === 'object' ? true : Boolean(value) || Number.isNaN(value);
}
