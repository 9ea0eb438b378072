import { directionWords } from './direction.ts';

const placeholders: ReadonlySet<string> = new Set([
  '<num>',
  '<size>',
  '<duration>',
  '<time>',
  '<uuid>',
  '<hex>',
  '<ip>',
  '<mac>',
  '<pod>',
  '<id>',
]);

/** `<duration>` is the longest. */
const maxPlaceholderLength = 10;

/**
 * The tokens of a template: words in lower case (`TargetDown` is two), placeholders, single ideographs, and signs that carry a
 * direction (`<`, `>`, `!=`, arrows and other symbols, the minus of a number).
 */
export function tokensOf(template: string): string[] {
  const tokens: string[] = [];
  const length = template.length;
  let position = 0;
  while (position < length) {
    const unit = template.charCodeAt(position);
    let end = position + 1;
    if (isWordUnit(unit)) {
      end = wordEnd(template, position);
      tokens.push(template.slice(position, end).toLowerCase());
    } else if (unit === 60) {
      const placeholder = placeholderAt(template, position);
      tokens.push(placeholder ?? '<');
      if (placeholder) end = position + placeholder.length;
    } else if (unit === 62) tokens.push('>');
    else if (unit === 33 && template.charCodeAt(end) === 61) tokens.push('!=');
    else if (unit === 45 && isMinus(template, position)) tokens.push('-');
    else if (isSingle(unit)) {
      if (isHighSurrogate(unit) && end < length) end++;
      tokens.push(template.slice(position, end));
    }
    position = end;
  }
  return tokens;
}

/**
 * Whether texts that differ in this token speak of different things, however long they are: direction words and signs, and
 * names or codes with a digit that masking has left.
 */
export function isTelling(token: string): boolean {
  const unit = token.charCodeAt(0);
  if (unit === 60) return token.length === 1;
  if (!isWordUnit(unit)) return !isIdeograph(unit);
  return directionWords.has(token) || hasDigit(token);
}

function wordEnd(text: string, start: number): number {
  let position = start + 1;
  let before = text.charCodeAt(start);
  for (; position < text.length; position++) {
    const unit = text.charCodeAt(position);
    if (!isWordUnit(unit) || (isUpper(unit) && isLower(before))) break;
    before = unit;
  }
  return position;
}

function placeholderAt(text: string, start: number): string | null {
  const end = text.indexOf('>', start);
  if (end < 0 || end - start >= maxPlaceholderLength) return null;
  const candidate = text.slice(start, end + 1);
  return placeholders.has(candidate) ? candidate : null;
}

/** The minus of a number, not the dash of a range or a name. */
function isMinus(text: string, position: number): boolean {
  const before = position > 0 ? text.charCodeAt(position - 1) : 32;
  if (isWordUnit(before) || before === 62 || before === 45) return false;
  const after = text.charCodeAt(position + 1);
  return after === 60 || (after >= 48 && after <= 57);
}

function isWordUnit(unit: number): boolean {
  return isLower(unit) || isUpper(unit) || (unit >= 48 && unit <= 57) || (unit > 127 && isLetterBeyond(unit));
}

function isLower(unit: number): boolean {
  return unit >= 97 && unit <= 122;
}

function isUpper(unit: number): boolean {
  return unit >= 65 && unit <= 90;
}

/** Letters beyond ASCII that make words: not punctuation, symbols, ideographs or surrogates. */
function isLetterBeyond(unit: number): boolean {
  return (unit >= 0xc0 && unit < 0x2000) || (unit >= 0x2c00 && unit < 0x2e00);
}

/** What is a token by itself: symbols such as arrows and emoji, and the scripts that are written without spaces. */
function isSingle(unit: number): boolean {
  return unit >= 0x2190 && (unit < 0x2c00 || unit >= 0x2e80);
}

function isIdeograph(unit: number): boolean {
  return unit >= 0x2e80 && !isHighSurrogate(unit);
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}

function hasDigit(token: string): boolean {
  for (let i = 0; i < token.length; i++) {
    const unit = token.charCodeAt(i);
    if (unit >= 48 && unit <= 57) return true;
  }
  return false;
}
