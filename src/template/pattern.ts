import { RE2JS } from 're2js';
import { CallError } from './error.ts';
import { maxTextLength, tooLong } from './limits.ts';

/** Compiled patterns of templates; a set of templates has a handful. */
const cacheSize = 256;
const cache = new Map<string, RE2JS>();

/** Whether `text` holds a match of an RE2 pattern. Throws a `CallError` where the pattern is none. */
export function matchPattern(pattern: string, text: string): boolean {
  return compile(pattern).matcher(text).find();
}

/** `text` with each match replaced, as Go's Regexp.ReplaceAllString: `$1`, `${name}` and `$$` in `replacement`. */
export function replacePattern(pattern: string, replacement: string, text: string): string {
  const compiled = compile(pattern);
  const names = compiled.namedGroups() as Readonly<Record<string, number>>;
  const matcher = compiled.matcher(text);
  let out = '';
  let end = 0;
  let isFirst = true;
  while (matcher.find()) {
    // Go passes over an empty match right behind another.
    if (!isFirst && matcher.start() === matcher.end() && matcher.start() === end) continue;
    isFirst = false;
    const group = (index: number): string =>
      index <= matcher.groupCount() ? (matcher.group(index) ?? '') : '';
    out += text.slice(end, matcher.start()) + expand(replacement, names, group);
    end = matcher.end();
    if (out.length > maxTextLength) throw new CallError(tooLong);
  }
  return out + text.slice(end);
}

/** What stands for a group: `$$`, `$name`, or `${name}`, the longest name that fits. */
const reference = /\$(?:(\$)|([\p{L}\p{Nd}_]+)|\{([\p{L}\p{Nd}_]+)\})/gu;

function expand(
  replacement: string,
  names: Readonly<Record<string, number>>,
  group: (index: number) => string,
): string {
  return replacement.replaceAll(
    reference,
    (_all, dollar: string | undefined, bare: string | undefined, braced: string | undefined) => {
      if (dollar !== undefined) return '$';
      const name = bare ?? braced ?? '';
      if (/^\d+$/.test(name)) return group(Number(name));
      const index = Object.hasOwn(names, name) ? names[name] : undefined;
      return index === undefined ? '' : group(index);
    },
  );
}

function compile(pattern: string): RE2JS {
  const known = cache.get(pattern);
  if (known) return known;
  try {
    const compiled = RE2JS.compile(pattern);
    if (cache.size >= cacheSize) cache.clear();
    cache.set(pattern, compiled);
    return compiled;
  } catch (cause) {
    throw new CallError(cause instanceof Error ? cause.message : String(cause));
  }
}
