import { toExponentialEven } from './float-digits.ts';
import { quote } from './literal.ts';
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

/** The value as `fmt.Print` and `%v` write it. */
export function print(value: GoValue): string {
  return printNested(value, print);
}

/** The value with its parts written by `part`; `names` are those of a struct's fields (`%+v`). */
export function printNested(value: GoValue, part: (value: GoValue) => string, hasNames = false): string {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
      return printFloat(value);
    case 'bigint':
    case 'boolean':
      return String(value);
    default:
  }
  if (value === null || value instanceof GoNilPointer) return '<nil>';
  if (value instanceof GoTime) return value.toString();
  if (value instanceof GoNamedInt || value instanceof SafeText) return value.text;
  if (value instanceof GoList) return `[${value.items.map(part).join(' ')}]`;
  if (value instanceof GoMap)
    return `map[${[...value.entries].map(([key, item]) => `${part(key)}:${part(item)}`).join(' ')}]`;
  const fields = value.printed.map(([name, field]) => (hasNames ? `${name}:${part(field)}` : part(field)));
  return `{${fields.join(' ')}}`;
}

/** As `fmt.Sprint`: a blank between two values of which neither is a string. */
export function sprint(values: readonly GoValue[]): string {
  let out = '';
  for (const [index, value] of values.entries()) {
    const before = values[index - 1];
    if (index > 0 && !isString(before ?? null) && !isString(value)) out += ' ';
    out += printArgument(value);
  }
  return out;
}

/** As `fmt.Sprintln`. */
export function sprintln(values: readonly GoValue[]): string {
  return `${values.map(printArgument).join(' ')}\n`;
}

/** A value that was handed over by its address shows it. */
export function printArgument(value: GoValue): string {
  return value instanceof GoStruct && value.isPointer ? `&${print(value)}` : print(value);
}

export function isString(value: GoValue): boolean {
  return typeof value === 'string' || value instanceof SafeText;
}

/** `%v` of a float64. */
export function printFloat(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
  const isNegative = value < 0 || Object.is(value, -0);
  return (isNegative ? '-' : '') + generalFloat(Math.abs(value), 0);
}

/** `%g` of what is not negative: so many significant digits, or with 0 as few as give the number back. */
export function generalFloat(size: number, digits: number): string {
  if (!Number.isFinite(size)) return String(size);
  const text = digits === 0 ? size.toExponential() : toExponentialEven(size, Math.min(digits, 100) - 1);
  const [mantissa = '', exponentText = '0'] = text.split('e');
  const exponent = Number(exponentText);
  const short = mantissa.includes('.') ? mantissa.replace(/\.?0+$/, '') : mantissa;
  if (exponent < -4 || exponent >= (digits === 0 ? shortestLimit : digits))
    return `${short}e${goExponent(exponent)}`;
  const shortDigits = short.replace('.', '');
  if (exponent < 0) return `0.${'0'.repeat(-exponent - 1)}${shortDigits}`;
  const whole = shortDigits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  const rest = shortDigits.slice(exponent + 1);
  return rest === '' ? whole : `${whole}.${rest}`;
}

/** From this exponent on the shortest form has one (strconv/ftoa.go). */
const shortestLimit = 6;

/** At least two digits. */
export function goExponent(power: number): string {
  return `${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
}

/** The value in Go's syntax, `%#v`. */
export function printGoSyntax(value: GoValue): string {
  if (typeof value === 'string') return quote(value);
  if (value instanceof SafeText) return quote(value.text);
  if (value instanceof GoNamedInt) return String(value.value);
  if (value instanceof GoNilPointer) return `(${value.typeName})(nil)`;
  if (value instanceof GoList) return `${value.typeName}{${value.items.map(printGoSyntax).join(', ')}}`;
  if (value instanceof GoMap) {
    const entries = [...value.entries].map(([key, item]) => `${quote(key)}:${printGoSyntax(item)}`);
    return `${value.typeName}{${entries.join(', ')}}`;
  }
  if (value instanceof GoStruct) {
    const fields = value.printed.map(([name, field]) => `${name}:${printGoSyntax(field)}`);
    return `${value.isPointer ? '&' : ''}${value.typeName}{${fields.join(', ')}}`;
  }
  return value instanceof GoTime ? `${typeName(value)}(${quote(value.toString())})` : print(value);
}
