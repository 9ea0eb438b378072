import { describe, expect, test } from 'vitest';
import {
  compileMatcher,
  labelsOf,
  matchersSchema,
  matchesAll,
  matcherToString,
  parseMatcher,
  parseMatchers,
  type MatcherText,
} from '../../src/alert/index.ts';

type Short = readonly [name: string, operator: '=' | '!=' | '=~' | '!~', value: string];

function shorts(text: string): Short[] | string {
  const outcome = parseMatchers(text);
  return outcome.ok ? outcome.matchers.map(short) : outcome.error;
}

function short({ name, value, isRegex, isEqual }: MatcherText): Short {
  return [name, isEqual ? (isRegex ? '=~' : '=') : isRegex ? '!~' : '!=', value];
}

describe('the classic grammar', () => {
  test.each<[string, Short[]]>([
    ['', []],
    ['  ', []],
    ['{}', []],
    ['{', []],
    ['}', []],
    ['{foo="bar"}', [['foo', '=', 'bar']]],
    ['foo="bar"', [['foo', '=', 'bar']]],
    ['foo=bar', [['foo', '=', 'bar']]],
    [' foo = bar ', [['foo', '=', 'bar']]],
    ['foo!="bar"', [['foo', '!=', 'bar']]],
    ['foo=~"bar.*"', [['foo', '=~', 'bar.*']]],
    ['foo!~bar.*', [['foo', '!~', 'bar.*']]],
    [
      '{foo="bar", baz!="quux"}',
      [
        ['foo', '=', 'bar'],
        ['baz', '!=', 'quux'],
      ],
    ],
    [
      '{foo="bar", baz!="quux",}',
      [
        ['foo', '=', 'bar'],
        ['baz', '!=', 'quux'],
      ],
    ],
    [
      'foo=bar,baz=qux, ',
      [
        ['foo', '=', 'bar'],
        ['baz', '=', 'qux'],
      ],
    ],
    [
      '{foo="bar",baz!~".*quux"',
      [
        ['foo', '=', 'bar'],
        ['baz', '!~', '.*quux'],
      ],
    ],
    [
      'foo="bar,quux", baz="x"',
      [
        ['foo', '=', 'bar,quux'],
        ['baz', '=', 'x'],
      ],
    ],
    ['{foo="bar}"}', [['foo', '=', 'bar}']]],
    ['foo=', [['foo', '=', '']]],
    ['foo=""', [['foo', '=', '']]],
    ['foo="a\\"b"', [['foo', '=', 'a"b']]],
    ['foo="a\\\\b"', [['foo', '=', 'a\\b']]],
    ['foo="a\\nb"', [['foo', '=', 'a\nb']]],
    ['foo=a\\qb', [['foo', '=', 'a\\qb']]],
    ['foo="a\nb"', [['foo', '=', 'a\nb']]],
    ['foo=a b', [['foo', '=', 'a b']]],
    ['a:b=c', [['a:b', '=', 'c']]],
    ['foo={bar}x', [['foo', '=', '{bar}x']]],
    ['quote="She said: \\"Hi, ladies!\\""', [['quote', '=', 'She said: "Hi, ladies!"']]],
    ['foo=🙂', [['foo', '=', '🙂']]],
    ['foo==bar', [['foo', '=', '=bar']]],
  ])('%s', (text, expected) => {
    expect(shorts(text)).toEqual(expected);
  });
});

describe('the UTF-8 grammar, for what the classic one refuses', () => {
  test.each<[string, Short[]]>([
    ['{foo.bar="baz"}', [['foo.bar', '=', 'baz']]],
    ['"foo bar"=baz', [['foo bar', '=', 'baz']]],
    [
      '{"a,b"="c", d="e"}',
      [
        ['a,b', '=', 'c'],
        ['d', '=', 'e'],
      ],
    ],
    ['🙂=🙂', [['🙂', '=', '🙂']]],
    ['"🙂"=~"a|b"', [['🙂', '=~', 'a|b']]],
    ['0foo=bar', [['0foo', '=', 'bar']]],
    ['a.b="\\t\\x41\\101\\u0041\\U00000041"', [['a.b', '=', '\tAAAA']]],
    ['a.b="\\xf0\\x9f\\x99\\x82"', [['a.b', '=', '🙂']]],
    ['"\\"quoted\\""=x', [['"quoted"', '=', 'x']]],
    [
      'a.b=c\u00a0,\u2003d=e',
      [
        ['a.b', '=', 'c'],
        ['d', '=', 'e'],
      ],
    ],
    ['{a.b=c,}', [['a.b', '=', 'c']]],
  ])('%s', (text, expected) => {
    expect(shorts(text)).toEqual(expected);
  });
});

describe('where both grammars accept a text and disagree, the classic meaning holds', () => {
  test.each<[string, Short[]]>([
    ['foo="\\t"', [['foo', '=', '\\t']]],
    ['foo="\\u0041"', [['foo', '=', '\\u0041']]],
  ])('%s', (text, expected) => {
    expect(shorts(text)).toEqual(expected);
  });
});

describe('texts that neither grammar accepts, with the position', () => {
  test.each([
    ['foo', "position 3: expected one of '=', '!=', '=~' or '!~'"],
    ['foo.bar=baz}', 'position 12: unexpected closing brace'],
    ['{foo.bar=baz', 'position 12: expected a closing brace'],
    ['=bar', 'position 0: expected a label name'],
    ['foo.bar=', 'position 8: expected a label value'],
    ['foo.bar=baz,,a=b', 'position 12: expected a label name'],
    [',foo=bar', 'position 0: expected a label name'],
    ['foo="bar', 'position 4: missing end "'],
    ['foo="bar"baz="quux"', 'position 9: expected a comma or the end'],
    ['foo=ba"r', 'position 6: expected a comma or the end'],
    ['foo.bar="\\q"', 'position 9: invalid escape in quoted text'],
    ['foo.bar="\\\'"', 'position 9: invalid escape in quoted text'],
    ['foo.bar="\\xf0"', 'position 8: quoted text is not valid UTF-8'],
    ['foo.bar="\\ud800"', 'position 9: invalid escape in quoted text'],
    ['foo.bar="\\400"', 'position 9: invalid escape in quoted text'],
    ['foo.bar="a\nb"', 'position 10: line feed in quoted text'],
    ['""=a', 'position 2: expected a label name, got ""'],
    ['foo.bar!baz', "position 7: expected one of '=', '!=', '=~' or '!~'"],
    ['foo.bar=`baz`', 'position 8: expected a label value'],
    ['{foo.bar=baz},x=y', 'position 13: expected the end'],
  ])('%s', (text, error) => {
    expect(shorts(text)).toBe(error);
  });
});

describe('a single matcher, as in the filters of the API', () => {
  test('a bare value may hold commas', () => {
    expect(parseMatcher('team=db,web')).toMatchObject({
      ok: true,
      matcher: { name: 'team', value: 'db,web' },
    });
  });

  test('a UTF-8 name is read too', () => {
    expect(parseMatcher('"a b"!~"x.y"')).toMatchObject({
      ok: true,
      matcher: { name: 'a b', value: 'x.y', isRegex: true, isEqual: false },
    });
  });

  test.each([
    ['{foo="bar"}', 'unexpected open or close brace: {foo="bar"}'],
    ['', 'expected one matcher, got 0: '],
    ['a.b=c, d=e', 'expected one matcher, got 2: a.b=c, d=e'],
  ])('%s is refused', (text, error) => {
    expect(parseMatcher(text)).toEqual({ ok: false, error });
  });
});

describe('matching', () => {
  test.each<[string, string, boolean]>([
    ['a=b', 'b', true],
    ['a=b', 'bb', false],
    ['a=""', '', true],
    ['a!=b', '', true],
    ['a!=""', '', false],
    ['a=~"b"', 'abc', false],
    ['a=~"b|c"', 'c', true],
    ['a=~"b|c"', 'bc', false],
    ['a=~"b|"', '', true],
    ['a=~".+"', '', false],
    ['a=~".*"', '', true],
    ['a=~".*"', 'two\nlines', false],
    ['a=~".+"', 'two\nlines', false],
    ['a=~"(?s).*"', 'two\nlines', true],
    ['a=~"5.."', '503', true],
    ['a=~"5.."', '5030', false],
    ['a=~"(?i)ERROR"', 'error', true],
    ['a!~"x.*"', 'xy', false],
    ['a!~"x.*"', '', true],
    ['a=~"[🙂-🙃]"', '🙂', true],
    ['a=~"b)|(c"', 'bxx', true],
    ['a=~"\\\\d+"', '42', true],
    ['a=~"b.c|d"', 'bxc', true],
  ])('%s against "%s" is %s', (text, value, expected) => {
    const outcome = parseMatcher(text);
    if (!outcome.ok) throw new Error(outcome.error);
    expect(outcome.matcher.matches(value)).toBe(expected);
  });

  test('all must match, and a label that is absent has the empty value', () => {
    const parsed = parseMatchers('severity="critical", team!="web"');
    if (!parsed.ok) throw new Error(parsed.error);
    expect(matchesAll(parsed.matchers, labelsOf({ severity: 'critical' }))).toBe(true);
    expect(matchesAll(parsed.matchers, labelsOf({ severity: 'critical', team: 'web' }))).toBe(false);
    expect(matchesAll(parsed.matchers, labelsOf({ team: 'db' }))).toBe(false);
    expect(matchesAll([], labelsOf({}))).toBe(true);
  });

  test('a pattern that does not compile is an error outcome', () => {
    for (const value of ['(', '[a', 'a{2,1}', '(?=x)', '\\1', '*', '('.repeat(100_000), 'a{1000}{1000}']) {
      const outcome = compileMatcher({ name: 'a', value, isRegex: true, isEqual: true });
      expect(outcome).toEqual({ ok: false, error: expect.stringContaining('invalid regular expression') });
    }
  });

  test('a pattern that explodes in a backtracking engine does not here', () => {
    const outcome = compileMatcher({ name: 'a', value: '(x+x+)+y', isRegex: true, isEqual: true });
    if (!outcome.ok) throw new Error(outcome.error);
    expect(outcome.matcher.matches('x'.repeat(20_000))).toBe(false);
  });
});

test('matchers are written as Alertmanager writes them', () => {
  const texts: MatcherText[] = [
    { name: 'a', value: 'b"c\\d\ne', isRegex: false, isEqual: true },
    { name: 'a', value: 'b|c', isRegex: true, isEqual: false },
    { name: 'a b', value: '', isRegex: false, isEqual: false },
  ];
  expect(texts.map(matcherToString)).toEqual(['a="b\\"c\\\\d\\ne"', 'a!~"b|c"', '"a b"!=""']);
});

describe('matchers in a configuration file', () => {
  test('become data', () => {
    expect(matchersSchema.parse(['severity="critical"', '{team=~"db|web", env!=dev}'])).toEqual([
      { name: 'severity', value: 'critical', isRegex: false, isEqual: true },
      { name: 'team', value: 'db|web', isRegex: true, isEqual: true },
      { name: 'env', value: 'dev', isRegex: false, isEqual: false },
    ]);
  });

  test('every mistake is reported at its place', () => {
    const { error } = matchersSchema.safeParse(['a=b', 'nonsense', 'a=~"("']);
    expect(error?.issues.map(({ path, message }) => ({ path, message }))).toEqual([
      { path: [1], message: "bad matcher nonsense: position 8: expected one of '=', '!=', '=~' or '!~'" },
      { path: [2], message: expect.stringMatching(/^bad matcher a=~"\(": invalid regular expression/) },
    ]);
  });
});
