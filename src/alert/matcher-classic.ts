import type { GrammarOutcome } from './matcher-grammar.ts';
import type { MatcherText } from './matcher.ts';
import { trimSpace } from './space.ts';

/** Name and operator; `\s` is spelled as Go's, which is ASCII. */
const headPattern = /^[\t\n\f\r ]*([a-zA-Z_:][a-zA-Z0-9_:]*)[\t\n\f\r ]*(=~|=|!=|!~)[\t\n\f\r ]*/;

export type ClassicOutcome =
  | { readonly ok: true; readonly text: MatcherText }
  | { readonly ok: false; readonly error: string };

/**
 * Alertmanager's classic grammar (pkg/labels/parse.go, `ParseMatchers`): matchers parted by commas outside of double quotes. An
 * opening and a closing brace are each left out where they stand, and a comma may end the list.
 */
export function parseClassicMatchers(text: string): GrammarOutcome {
  const texts: MatcherText[] = [];
  for (const part of splitOutsideQuotes(withoutBraces(text))) {
    const parsed = parseClassicMatcher(part);
    if (!parsed.ok) return parsed;
    texts.push(parsed.text);
  }
  return { ok: true, texts };
}

/**
 * One matcher of the classic grammar (`ParseMatcher`): a classic label name, an operator, and a value that is bare or in double
 * quotes. In both, `\n`, `\"` and `\\` are escapes and any other backslash stands for itself; a bare value may hold commas.
 */
export function parseClassicMatcher(text: string): ClassicOutcome {
  const head = headPattern.exec(text);
  if (!head) return { ok: false, error: `bad matcher format: ${text}` };
  const [all, name = '', operator = '='] = head;
  const raw = withoutSpaceAtEnd(text.slice(all.length));
  const value = unescapeValue(raw);
  if (value === null) return { ok: false, error: `matcher value contains unescaped double quote: ${raw}` };
  return {
    ok: true,
    text: { name, value, isRegex: operator.endsWith('~'), isEqual: !operator.startsWith('!') },
  };
}

function withoutBraces(text: string): string {
  const inner = text.startsWith('{') ? text.slice(1) : text;
  return inner.endsWith('}') ? inner.slice(0, -1) : inner;
}

function splitOutsideQuotes(text: string): string[] {
  const parts: string[] = [];
  let start = 0;
  let isQuoted = false;
  let isEscaped = false;
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (char === ',' && !isQuoted) {
      parts.push(text.slice(start, i));
      start = i + 1;
      // A backslash before this comma still escapes what follows it, as in Alertmanager.
      continue;
    }
    if (char === '"' && !isEscaped) isQuoted = !isQuoted;
    isEscaped = char === '\\' ? !isEscaped : char === ',' && isEscaped;
  }
  const last = trimSpace(text.slice(start));
  if (last !== '') parts.push(last);
  return parts;
}

/** The value behind its quotes and escapes, or null when a double quote stands where none may. */
function unescapeValue(raw: string): string | null {
  const isQuoted = raw.startsWith('"');
  const end = raw.length - 1;
  let isClosed = !isQuoted;
  let value = '';
  for (let i = isQuoted ? 1 : 0; i <= end; i++) {
    const char = raw[i]!;
    if (char === '\\' && i < end) {
      const next = raw[++i]!;
      value += next === 'n' ? '\n' : next === '"' || next === '\\' ? next : `\\${next}`;
    } else if (char === '"') {
      if (isClosed || i < end) return null;
      isClosed = true;
    } else value += char;
  }
  return isClosed ? value : null;
}

function withoutSpaceAtEnd(text: string): string {
  let end = text.length;
  while (end > 0 && '\t\n\f\r '.includes(text[end - 1]!)) end--;
  return text.slice(0, end);
}
