import { labelValue, type Labels } from './labels.ts';
import { compilePattern } from './pattern.ts';

/** A matcher as data, in the shape of Alertmanager's API. */
export interface MatcherText {
  readonly name: string;
  readonly value: string;
  readonly isRegex: boolean;
  readonly isEqual: boolean;
}

/** A matcher ready to run. `matches` takes the label's value, the empty string for an absent label. */
export interface Matcher extends MatcherText {
  readonly matches: (value: string) => boolean;
}

export type MatcherOutcome =
  | { readonly ok: true; readonly matcher: Matcher }
  | { readonly ok: false; readonly error: string };

export type MatchersOutcome =
  | { readonly ok: true; readonly matchers: readonly Matcher[] }
  | { readonly ok: false; readonly error: string };

/**
 * Makes a matcher of its data. Regular expressions are RE2's, match the whole value (`.` is no line feed, as in Alertmanager),
 * and run in linear time; one that does not compile is an error outcome.
 */
export function compileMatcher({ name, value, isRegex, isEqual }: MatcherText): MatcherOutcome {
  const text = { name, value, isRegex, isEqual };
  if (!isRegex)
    return { ok: true, matcher: { ...text, matches: (actual) => (actual === value) === isEqual } };
  const pattern = compilePattern(value);
  if (!pattern.ok) return pattern;
  return { ok: true, matcher: { ...text, matches: (actual) => pattern.matches(actual) === isEqual } };
}

/** Compiles several; the first that fails is the outcome. */
export function compileMatchers(texts: readonly MatcherText[]): MatchersOutcome {
  const matchers: Matcher[] = [];
  for (const text of texts) {
    const outcome = compileMatcher(text);
    if (!outcome.ok) return { ok: false, error: `${matcherToString(text)}: ${outcome.error}` };
    matchers.push(outcome.matcher);
  }
  return { ok: true, matchers };
}

export function matchesAll(matchers: readonly Matcher[], labels: Labels): boolean {
  for (const matcher of matchers) if (!matcher.matches(labelValue(labels, matcher.name))) return false;
  return true;
}

/**
 * Writes a matcher as Alertmanager does; `parseMatcher` reads it back. A name outside of the classic alphabet is quoted.
 * Only backslash, double quote and line feed are escaped, which mean the same in both grammars.
 */
export function matcherToString({ name, value, isRegex, isEqual }: MatcherText): string {
  const shownName = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name) ? name : quote(name);
  const operator = isEqual ? (isRegex ? '=~' : '=') : isRegex ? '!~' : '!=';
  return `${shownName}${operator}${quote(value)}`;
}

function quote(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')}"`;
}
