import { compareCodePoints } from '../alert/index.ts';
import { CallError } from './error.ts';
import { isString, print } from './print.ts';
import { GoTime } from './time.ts';
import {
  GoList,
  GoMap,
  GoNamedInt,
  GoNilPointer,
  GoStruct,
  SafeText,
  typeName,
  type GoValue,
} from './value.ts';

type BasicKind = 'bool' | 'int' | 'float' | 'string' | null;

function basicKind(value: GoValue): BasicKind {
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'bigint' || value instanceof GoNamedInt) return 'int';
  if (typeof value === 'number') return 'float';
  return isString(value) ? 'string' : null;
}

const incompatible = 'incompatible types for comparison';
const invalid = 'invalid type for comparison';

/** Go templates' `eq`: whether `first` equals any of the others. Throws a `CallError` for kinds that cannot be compared. */
export function equal(first: GoValue, others: readonly GoValue[]): boolean {
  if (others.length === 0) throw new CallError('missing argument for comparison');
  return others.some((other) => isEqual(first, other));
}

function isEqual(a: GoValue, b: GoValue): boolean {
  const kind = basicKind(a);
  if (kind !== basicKind(b)) {
    if (a === null || b === null) return false;
    throw new CallError(incompatible);
  }
  if (kind !== null) return basicValue(a) === basicValue(b);
  if (isNil(a) || isNil(b)) return isNil(a) === isNil(b);
  for (const value of [b, a]) {
    const isComparable = !(value instanceof GoList || value instanceof GoMap) && !holdsIncomparable(value);
    if (!isComparable) throw new CallError(`non-comparable type ${print(value)}: ${typeName(value)}`);
  }
  return a instanceof GoTime && b instanceof GoTime ? a.ms === b.ms && a.zone === b.zone : a === b;
}

function holdsIncomparable(value: GoValue): boolean {
  return value instanceof GoStruct && !value.isPointer;
}

function isNil(value: GoValue): boolean {
  return value === null || value instanceof GoNilPointer;
}

/** `lt`: strings by their bytes, numbers by size. */
export function isLess(a: GoValue, b: GoValue): boolean {
  const kind = basicKind(a);
  const other = basicKind(b);
  if (kind === null || other === null) throw new CallError(invalid);
  if (kind !== other) throw new CallError(incompatible);
  const [left, right] = [basicValue(a), basicValue(b)];
  if (typeof left === 'string' && typeof right === 'string') return compareCodePoints(left, right) < 0;
  if (typeof left === 'bigint' && typeof right === 'bigint') return left < right;
  if (typeof left === 'number' && typeof right === 'number') return left < right;
  throw new CallError(invalid);
}

function basicValue(value: GoValue): GoValue {
  if (value instanceof GoNamedInt) return value.value;
  return value instanceof SafeText ? value.text : value;
}
