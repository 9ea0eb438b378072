import { z } from 'zod';
import {
  compileMatcher,
  type Matcher,
  type MatcherOutcome,
  type MatchersOutcome,
  type MatcherText,
} from './matcher.ts';
import { parseClassicMatcher, parseClassicMatchers } from './matcher-classic.ts';
import { parseUtf8Matchers } from './matcher-utf8.ts';

/** What one of the two grammars makes of a text. */
export type GrammarOutcome =
  | { readonly ok: true; readonly texts: readonly MatcherText[] }
  | { readonly ok: false; readonly error: string };

/**
 * Reads `severity="critical", team=~"db|web"`, with or without braces. As Alertmanager does by default (matcher/compat), both its
 * classic and its UTF-8 grammar are tried: where both accept the text but disagree, the classic meaning holds; what only
 * one accepts is taken from that one; what neither accepts is reported in the words of the UTF-8 grammar, with the position
 * in UTF-16 units from 0.
 */
export function parseMatchers(text: string): MatchersOutcome {
  const classic = parseClassicMatchers(text);
  const outcome = classic.ok ? classic : parseUtf8Matchers(text);
  if (!outcome.ok) return outcome;
  const matchers: Matcher[] = [];
  for (const matcherText of outcome.texts) {
    const compiled = compileMatcher(matcherText);
    if (!compiled.ok) return compiled;
    matchers.push(compiled.matcher);
  }
  return { ok: true, matchers };
}

/**
 * Reads exactly one matcher without braces, as in the `filter` parameters of Alertmanager's API. A bare value of the classic
 * grammar may hold commas here: `team=db,web` is one matcher.
 */
export function parseMatcher(text: string): MatcherOutcome {
  if (text.startsWith('{') || text.endsWith('}'))
    return { ok: false, error: `unexpected open or close brace: ${text}` };
  const classic = parseClassicMatcher(text);
  if (classic.ok) return compileMatcher(classic.text);
  const parsed = parseUtf8Matchers(text);
  if (!parsed.ok) return parsed;
  const [only, ...others] = parsed.texts;
  if (!only || others.length > 0)
    return { ok: false, error: `expected one matcher, got ${parsed.texts.length}: ${text}` };
  return compileMatcher(only);
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
