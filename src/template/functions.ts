import { humanizeDuration } from './duration.ts';
import { builtins } from './builtins.ts';
import { CallError } from './error.ts';
import { quote } from './literal.ts';
import { toJson } from './json.ts';
import { print } from './print.ts';
import { matchPattern, replacePattern } from './pattern.ts';
import { GoTime } from './time.ts';
import { titleCase, toLower, toUpper } from './letter-case.ts';
import { asText, GoList, GoMap, SafeText, stringList, type GoFunction, type GoValue } from './value.ts';

/** What functions know beside their arguments. */
export interface FunctionOptions {
  /** For `since`. */
  readonly nowMs: () => number;
}

/**
 * Alertmanager's functions (template/template.go, DefaultFuncs), those of versions after 0.25 included: from `trimSpace` on in this list.
 */
export function templateFunctions({ nowMs }: FunctionOptions): ReadonlyMap<string, GoFunction> {
  const functions: Readonly<Record<string, GoFunction>> = {
    ...builtins,
    toUpper: ofText(toUpper),
    toLower: ofText(toLower),
    title: ofText(titleCase),
    join: {
      parameters: ['string', '[]string'],
      call: (separator, list) => textsOf(list).join(asText(separator)),
    },
    match: {
      parameters: ['string', 'string'],
      call: (pattern, text) => matchPattern(asText(pattern), asText(text)),
    },
    safeHtml: ofText((text) => new SafeText('template.HTML', text)),
    reReplaceAll: {
      parameters: ['string', 'string', 'string'],
      call: (pattern, replacement, text) => replaceAll(asText(pattern), asText(replacement), asText(text)),
    },
    stringSlice: { parameters: [], rest: 'string', call: (...texts) => stringList(texts.map(asText)) },
    trimSpace: ofText((text) => text.replace(/^[\s\u0085]+/, '').replace(/[\s\u0085]+$/, '')),
    safeUrl: ofText((text) => new SafeText('template.URL', text)),
    urlUnescape: ofText(queryUnescape),
    date: {
      parameters: ['string', 'time.Time'],
      call: (layout, time) => asTime(time).format(asText(layout)),
    },
    tz: { parameters: ['string', 'time.Time'], call: (zone, time) => asTime(time).in(asText(zone)) },
    since: { parameters: ['time.Time'], call: (time) => new GoTime(nowMs()).since(asTime(time).ms) },
    humanizeDuration: { parameters: ['any'], call: (value = null) => humanizeDuration(value) },
    toJson: { parameters: ['any'], call: (value = null) => toJson(value) },
    list: { parameters: [], rest: 'any', call: (...items) => new GoList('[]interface {}', items) },
    append: {
      parameters: ['[]interface {}'],
      rest: 'any',
      call: (list, ...items) => new GoList('[]interface {}', [...itemsOf(list), ...items]),
    },
    dict: { parameters: [], rest: 'any', call: (...pairs) => dictOf(pairs) },
  };
  return new Map(Object.entries(functions));
}

function ofText(call: (text: string) => GoValue): GoFunction {
  return { parameters: ['string'], call: (text) => call(asText(text)) };
}

/** Where the pattern is none Go panics, and says so in these words. */
function replaceAll(pattern: string, replacement: string, text: string): string {
  try {
    return replacePattern(pattern, replacement, text);
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    const shown = pattern.includes('`') ? quote(pattern) : `\`${pattern}\``;
    throw new CallError(`regexp: Compile(${shown}): ${error.message}`);
  }
}

function asTime(value: GoValue | undefined): GoTime {
  return value instanceof GoTime ? value : new GoTime(0);
}

function itemsOf(value: GoValue | undefined): readonly GoValue[] {
  return value instanceof GoList ? value.items : [];
}

function textsOf(value: GoValue | undefined): string[] {
  return itemsOf(value).map(print);
}

function dictOf(pairs: readonly GoValue[]): GoMap {
  if (pairs.length % 2 !== 0) throw new CallError('dict requires an even number of arguments');
  const entries: [string, GoValue][] = [];
  for (let i = 0; i < pairs.length; i += 2) {
    const key = pairs[i];
    if (typeof key !== 'string') throw new CallError('dict keys must be strings');
    entries.push([key, pairs[i + 1] ?? null]);
  }
  return new GoMap('map[string]interface {}', entries, null);
}

/** As Go's url.QueryUnescape. */
function queryUnescape(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw new CallError(`invalid URL escape in ${JSON.stringify(text)}`);
  }
}
