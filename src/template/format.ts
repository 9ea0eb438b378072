import { CallError } from './error.ts';
import { toExponentialEven, toFixedEven } from './float-digits.ts';
import { maxTextLength, tooLong } from './limits.ts';
import { isPrintable, quote } from './literal.ts';
import { generalFloat, goExponent, printArgument, printGoSyntax, printNested } from './print.ts';
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

interface Directive {
  readonly verb: string;
  /** The value is shown because the verb did not fit: `+` and `#` do not mean what they mean with `%v`. */
  readonly isBad?: boolean;
  readonly flags: {
    readonly plus: boolean;
    readonly minus: boolean;
    readonly sharp: boolean;
    readonly space: boolean;
    readonly zero: boolean;
  };
  readonly width: number | null;
  readonly precision: number | null;
}

/** Go refuses to pad to more. */
const largestWidth = 1_000_000;

const directive = /%([+\-# 0]*)((?:\[\d+\])?\*|\d+)?(?:\.((?:\[\d+\])?\*|\d*))?(?:\[(\d+)\])?([\s\S]?)/gu;

/** As Go's `fmt.Sprintf` for the values that templates have: verbs, flags, width and precision, argument indexes, and its complaints. */
export function sprintf(format: string, values: readonly GoValue[]): string {
  let next = 0;
  let isReordered = false;
  let badIndex = false;
  let outLength = 0;
  const jump = (index: string | undefined): void => {
    if (index === undefined) return;
    isReordered = true;
    const position = Number(index) - 1;
    if (position < 0 || position >= values.length) badIndex = true;
    else next = position;
  };
  /** A width or precision: written out, or taken from the arguments. */
  const size = (text: string | undefined): number | 'bad' | null => {
    if (text === undefined) return null;
    if (!text.endsWith('*')) return Math.min(Number(text), largestWidth);
    jump(/^\[(\d+)\]/.exec(text)?.[1]);
    const value = values[next++];
    if (typeof value !== 'bigint' || value > BigInt(largestWidth) || value < BigInt(-largestWidth))
      return 'bad';
    return Number(value);
  };
  const out = format.replaceAll(
    directive,
    (
      _all,
      flagText: string,
      widthText: string | undefined,
      precisionText: string | undefined,
      index: string | undefined,
      verb: string,
    ) => {
      badIndex = false;
      let width = size(widthText);
      let precision = size(precisionText);
      let complaint = '';
      let minus = flagText.includes('-');
      if (width === 'bad') [width, complaint] = [null, '%!(BADWIDTH)'];
      if (width !== null && width < 0) [width, minus] = [-width, true];
      if (precision === 'bad') [precision, complaint] = [null, `${complaint}%!(BADPREC)`];
      if (precision !== null && precision < 0) precision = null;
      jump(index);
      if (verb === '') return `${complaint}%!(NOVERB)`;
      if (verb === '%') return `${complaint}%`;
      if (badIndex) return `${complaint}%!${verb}(BADINDEX)`;
      if (next >= values.length) return `${complaint}%!${verb}(MISSING)`;
      const flags = {
        plus: flagText.includes('+'),
        minus,
        sharp: flagText.includes('#'),
        space: flagText.includes(' '),
        zero: flagText.includes('0') && !minus,
      };
      const text = complaint + formatValue(values[next++] ?? null, { verb, flags, width, precision });
      outLength += text.length;
      if (outLength > maxTextLength) throw new CallError(tooLong);
      return text;
    },
  );
  if (isReordered || next >= values.length) return out;
  const extra = values
    .slice(next)
    .map((value) => (value === null ? '<nil>' : `${typeName(value)}=${printArgument(value)}`));
  return `${out}%!(EXTRA ${extra.join(', ')})`;
}

function formatValue(value: GoValue, format: Directive, depth = 0): string {
  const { verb, flags } = format;
  if (verb === 'T') return formatText(typeName(value), value, { ...format, verb: 's' });
  if (value === null) return verb === 'v' ? pad('<nil>', format) : `%!${verb}(<nil>)`;
  if (verb === 'v' && flags.sharp && !format.isBad) return pad(printGoSyntax(value), format);
  if (value instanceof GoTime || value instanceof GoNamedInt) return formatNamed(value, format);
  if (value instanceof GoNilPointer)
    return verb === 'v' ? pad('<nil>', format) : `%!${verb}(${value.typeName}=<nil>)`;
  if (value instanceof GoList || value instanceof GoMap || value instanceof GoStruct) {
    if (value instanceof GoList && value.typeName === '[]string' && verb === 'x')
      format = { ...format, verb };
    const text = printNested(
      value,
      (part) => formatValue(part, format, depth + 1),
      flags.plus && verb === 'v' && !format.isBad,
    );
    return depth === 0 && value instanceof GoStruct && value.isPointer ? `&${text}` : text;
  }
  switch (typeof value) {
    case 'boolean':
      return verb === 'v' || verb === 't' ? pad(String(value), format) : bad(value, format);
    case 'bigint':
      return formatInteger(value, format);
    case 'number':
      return formatFloat(value, format);
    default:
      return formatText(value instanceof SafeText ? value.text : value, value, format);
  }
}

/** A value with a method String: its text for the verbs of texts, its number for the others. */
function formatNamed(value: GoTime | GoNamedInt, format: Directive): string {
  const text = value instanceof GoTime ? value.toString() : value.text;
  if (format.verb === 'v') return pad(text, format);
  if ('sqxX'.includes(format.verb)) return formatText(text, value, format);
  return value instanceof GoNamedInt ? formatInteger(value.value, format, value) : bad(value, format);
}

function formatText(text: string, value: GoValue, format: Directive): string {
  const { verb, precision, flags } = format;
  const cut = precision === null ? text : Array.from(text).slice(0, precision).join('');
  switch (verb) {
    case 'v':
    case 's':
      return pad(cut, format);
    case 'q': {
      const isRaw = flags.sharp && !/[`\p{Cc}\uFEFF]/u.test(cut.replaceAll('\t', ''));
      return pad(isRaw ? `\`${cut}\`` : quote(cut, '"', flags.plus), format);
    }
    case 'x':
    case 'X': {
      const bytes = Buffer.from(text, 'utf8').subarray(0, precision ?? undefined);
      const digits = [...bytes].map((byte) => byte.toString(16).padStart(2, '0'));
      const hex =
        flags.space && flags.sharp
          ? digits.map((pair) => `0x${pair}`).join(' ')
          : (flags.sharp && digits.length > 0 ? '0x' : '') + digits.join(flags.space ? ' ' : '');
      return pad(verb === 'X' ? hex.toUpperCase() : hex, format);
    }
    default:
      return bad(value, format);
  }
}

const bases: Readonly<Record<string, readonly [base: number, prefix: string]>> = {
  v: [10, ''],
  d: [10, ''],
  b: [2, '0b'],
  o: [8, '0'],
  O: [8, ''],
  x: [16, '0x'],
  X: [16, '0X'],
};

function formatInteger(value: bigint, format: Directive, original: GoValue = value): string {
  const { verb, flags, width, precision } = format;
  const base = bases[verb];
  if (!base) return formatCharacter(value, format, original);
  const size = (value < 0n ? -value : value).toString(base[0]);
  const sign = value < 0n ? '-' : flags.plus ? '+' : flags.space ? ' ' : '';
  const prefix = verb === 'O' ? '0o' : flags.sharp ? base[1] : '';
  let digits = verb === 'X' ? size.toUpperCase() : size;
  if (precision !== null) digits = precision === 0 && value === 0n ? '' : digits.padStart(precision, '0');
  else if (flags.zero && width !== null) digits = digits.padStart(width - sign.length, '0');
  return pad(sign + prefix + digits, { ...format, flags: { ...flags, zero: false } });
}

function formatCharacter(value: bigint, format: Directive, original: GoValue): string {
  const { verb, flags } = format;
  const isPoint = value >= 0n && value <= 0x10ffffn && !(value >= 0xd800n && value <= 0xdfffn);
  const character = isPoint ? String.fromCodePoint(Number(value)) : '\ufffd';
  if (verb === 'c') return pad(character, format);
  if (verb === 'q') return pad(quote(character, "'", flags.plus), format);
  if (verb !== 'U') return bad(original, format);
  const code = `U+${value.toString(16).toUpperCase().padStart(4, '0')}`;
  return pad(flags.sharp && isPrintable(character) ? `${code} '${character}'` : code, format);
}

function formatFloat(value: number, format: Directive): string {
  const { verb, flags, width } = format;
  const text = floatDigits(Math.abs(value), format);
  if (text === null) return bad(value, format);
  const isNegative = value < 0 || Object.is(value, -0);
  const sign = isNegative
    ? '-'
    : flags.plus || value === Infinity
      ? flags.plus
        ? '+'
        : ''
      : flags.space
        ? ' '
        : '';
  if (!Number.isFinite(value)) {
    const name = Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
    return pad(name, { ...format, flags: { ...flags, zero: false } });
  }
  const digits = verb === 'E' || verb === 'G' ? text.toUpperCase() : text;
  if (flags.zero && width !== null) return sign + digits.padStart(width - sign.length, '0');
  return pad(sign + digits, format);
}

function floatDigits(size: number, { verb, precision }: Directive): string | null {
  switch (verb) {
    case 'f':
    case 'F':
      return fixed(size, Math.min(precision ?? 6, 100));
    case 'e':
    case 'E': {
      const [mantissa = '', exponent = '0'] = toExponentialEven(size, Math.min(precision ?? 6, 100)).split(
        'e',
      );
      return `${mantissa}e${goExponent(Number(exponent))}`;
    }
    case 'v':
    case 'g':
    case 'G':
      return generalFloat(size, precision === null ? 0 : Math.max(precision, 1));
    default:
      return null;
  }
}

/** `%.nf`; JavaScript's own stops at 1e21. */
function fixed(size: number, digits: number): string {
  if (!Number.isFinite(size) || size < 1e21) return toFixedEven(size, digits);
  return BigInt(size) + (digits > 0 ? `.${'0'.repeat(digits)}` : '');
}

function pad(text: string, { width, flags }: Directive): string {
  if (width === null) return text;
  const missing = width - Array.from(text).length;
  if (missing <= 0) return text;
  if (flags.minus) return text + ' '.repeat(missing);
  return (flags.zero ? '0' : ' ').repeat(missing) + text;
}

/** What Go prints for a verb that does not fit: the value as `%v` has it, with the same width and precision. */
function bad(value: GoValue, format: Directive): string {
  return `%!${format.verb}(${typeName(value)}=${formatValue(value, { ...format, verb: 'v', isBad: true })})`;
}
