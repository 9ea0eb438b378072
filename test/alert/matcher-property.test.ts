import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { matcherToString, parseMatcher, parseMatchers, type MatcherText } from '../../src/alert/index.ts';

const text = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({
    unit: fc.constantFrom('"', '\\', 'n', '\n', ',', '{', '}', '=', '~', '!', ' ', '\t', 'a', "'", '`'),
  }),
);

const matcherTexts: fc.Arbitrary<MatcherText> = fc.record({
  name: fc.oneof(
    fc.constantFrom('a', 'severity', 'a:b', 'a b'),
    text.filter((name) => name !== ''),
  ),
  value: text,
  isRegex: fc.constant(false),
  isEqual: fc.boolean(),
});

test('a matcher that is written and read is the same', () => {
  fc.assert(
    fc.property(matcherTexts, (matcher) => {
      expect(parseMatcher(matcherToString(matcher))).toMatchObject({ ok: true, matcher });
    }),
  );
});

test('a list that is written and read is the same', () => {
  fc.assert(
    fc.property(fc.array(matcherTexts, { maxLength: 5 }), (matchers) => {
      const parsed = parseMatchers(`{${matchers.map(matcherToString).join(', ')}}`);
      expect(parsed).toMatchObject({ ok: true, matchers });
    }),
  );
});

test('no text makes the parser throw', () => {
  fc.assert(
    fc.property(fc.oneof(text, fc.string({ unit: 'binary' })), (anything) => {
      for (const outcome of [parseMatchers(anything), parseMatcher(anything)]) {
        expect(outcome.ok || outcome.error !== '').toBe(true);
      }
    }),
  );
});
