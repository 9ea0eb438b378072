import type { GrammarOutcome } from './matcher-grammar.ts';
import type { MatcherText } from './matcher.ts';

const matcherPattern = /^([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(=~|!=|!~|=)\s*/;

/**
 * Alertmanager's classic grammar (pkg/labels/parse.go): classic label names; values bare or in double quotes, in which `\n`,
 * `\"` and `\\` are escapes and any other backslash stands for itself; a list is parted by commas outside of quotes.
 */
export function parseClassicMatchers(text: string): GrammarOutcome {
  const texts: MatcherText[] = [];
  const inner = withoutBraces(text);
  if (inner === null) return { ok: false, error: `unbalanced braces: ${text}` };
  for (const part of splitOutsideQuotes(inner)) {
    if (part.trim() === '') continue;
    const parsed = parseOne(part.trim());
    if (!parsed.ok) return parsed;
    texts.push(parsed.text);
  }
  return texts.length > 0 || inner.trim() === ''
    ? { ok: true, texts }
    : { ok: false, error: `no matcher in ${text}` };
}

function withoutBraces(text: string): string | null {
  const trimmed = text.trim();
  const opens = trimmed.startsWith('{');
  const closes = trimmed.endsWith('}');
  if (opens && closes) return trimmed.slice(1, -1);
  return opens ? null : trimmed;
}

function splitOutsideQuotes(text: string): string[] {
  const parts: string[] = [];
  let start = 0;
  let isQuoted = false;
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (char === '\\' && isQuoted) i++;
    else if (char === '"') isQuoted = !isQuoted;
    else if (char === ',' && !isQuoted) {
      parts.push(text.slice(start, i));
      start = i + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}

function parseOne(text: string): { ok: true; text: MatcherText } | { ok: false; error: string } {
  const match = matcherPattern.exec(text);
  if (!match) return { ok: false, error: `bad matcher format: ${text}` };
  const [head, name = '', operator = '='] = match;
  const value = parseValue(text.slice(head.length));
  if (!value.ok) return { ok: false, error: `${value.error}: ${text}` };
  return {
    ok: true,
    text: { name, value: value.value, isRegex: operator.endsWith('~'), isEqual: !operator.startsWith('!') },
  };
}

function parseValue(raw: string): { ok: true; value: string } | { ok: false; error: string } {
  const isQuoted = raw.startsWith('"');
  let value = '';
  for (let i = isQuoted ? 1 : 0; i < raw.length; i++) {
    const char = raw[i]!;
    if (char === '\\') {
      const next = raw[++i];
      if (next === undefined) value += '\\';
      else if (next === 'n') value += '\n';
      else if (next === '"' || next === '\\') value += next;
      else value += `\\${next}`;
    } else if (char === '"') {
      if (isQuoted && i === raw.length - 1) return { ok: true, value };
      return { ok: false, error: 'matcher value contains unescaped double quote' };
    } else value += char;
  }
  return isQuoted
    ? { ok: false, error: 'matcher value contains unescaped double quote' }
    : { ok: true, value };
}
