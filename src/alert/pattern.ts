import { RE2JS } from 're2js';

export type PatternOutcome =
  | { readonly ok: true; readonly matches: (value: string) => boolean }
  | { readonly ok: false; readonly error: string };

/** How many compiled patterns are kept. A configuration has tens, silences may have thousands. */
const cacheSize = 4096;

const cache = new Map<string, PatternOutcome>();

/**
 * Compiles `^(?:source)$` as Alertmanager does (pkg/labels/matcher.go), on a linear-time engine. Outcomes are cached by source, so
 * that silences and routes that say the same share one automaton. Plain alternatives (`db|web`) become a set, two and more
 * times as fast.
 */
export function compilePattern(source: string): PatternOutcome {
  let outcome = cache.get(source);
  if (!outcome) {
    outcome = compile(source);
    if (cache.size >= cacheSize) cache.clear();
    cache.set(source, outcome);
  }
  return outcome;
}

/** Nothing here has a meaning in a regular expression but the bars. */
const plainAlternatives = /^[\w :/@%~-]*(?:\|[\w :/@%~-]*)*$/;

function compile(source: string): PatternOutcome {
  if (plainAlternatives.test(source)) {
    const values = new Set(source.split('|'));
    return { ok: true, matches: (value) => values.has(value) };
  }
  if (source === '.+') return { ok: true, matches: (value) => value !== '' && !value.includes('\n') };
  if (source === '.*') return { ok: true, matches: (value) => !value.includes('\n') };
  try {
    const pattern = RE2JS.compile(`^(?:${source})$`);
    return { ok: true, matches: (value) => pattern.test(value) };
  } catch (error) {
    return {
      ok: false,
      error: `invalid regular expression: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
}
