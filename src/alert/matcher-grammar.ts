import { z } from 'zod';
import {
  compileMatcher,
  type Matcher,
  type MatcherOutcome,
  type MatchersOutcome,
  type MatcherText,
} from './matcher.ts';
import { parseClassicMatchers } from './matcher-classic.ts';
import { parseUtf8Matchers } from './matcher-utf8.ts';

/** What one of the two grammars makes of a text. */
export type GrammarOutcome =
  | { readonly ok: true; readonly texts: readonly MatcherText[] }
  | { readonly ok: false; readonly error: string };

/**
 * Reads `severity="critical", team=~"db|web"`, with or without braces. As Alertmanager does by default (matcher/compat), both its
 * classic and its UTF-8 grammar are tried: where both accept the text but disagree, the classic meaning holds; what only
 * one accepts is taken from that one; what neither accepts is reported in the words of the UTF-8 grammar, with the position.
 */
export function parseMatchers(text: string): MatchersOutcome {
  const utf8 = parseUtf8Matchers(text);
  const classic = parseClassicMatchers(text);
  const outcome = classic.ok ? classic : utf8;
  if (!outcome.ok) return outcome;
  const matchers: Matcher[] = [];
  for (const matcherText of outcome.texts) {
    const compiled = compileMatcher(matcherText);
    if (!compiled.ok) return compiled;
    matchers.push(compiled.matcher);
  }
  return { ok: true, matchers };
}

/** Reads exactly one matcher. */
export function parseMatcher(text: string): MatcherOutcome {
  const parsed = parseMatchers(text);
  if (!parsed.ok) return parsed;
  const [matcher, ...others] = parsed.matchers;
  if (!matcher || others.length > 0) {
    return { ok: false, error: `expected one matcher, got ${parsed.matchers.length}: ${text}` };
  }
  return { ok: true, matcher };
}

/** A list of matchers in a configuration file, such as `['severity="critical"', 'team=~"db|web"']`. */
export const matchersSchema = z.array(z.string()).transform((texts, context) => {
  const matchers: MatcherText[] = [];
  for (const [index, text] of texts.entries()) {
    const parsed = parseMatchers(text);
    if (!parsed.ok)
      context.addIssue({ code: 'custom', path: [index], message: `bad matcher ${text}: ${parsed.error}` });
    else
      matchers.push(
        ...parsed.matchers.map(({ name, value, isRegex, isEqual }) => ({ name, value, isRegex, isEqual })),
      );
  }
  return matchers;
});
