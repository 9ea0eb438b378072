import { expect, test } from 'vitest';
import { labelsOf } from '../../src/alert/index.ts';
import { differencesOf, wordDifferences } from '../../src/dedup/differences.ts';

test.each([
  ['disk 91% full', 'disk 92% full', ['91% -> 92%']],
  ['disk full', 'disk full', []],
  ['login of a noted', 'login of a and b noted', ['nothing -> and b']],
  ['a b c', 'x y', ['a b c -> x y']],
])('%s and %s', (before, after, differences) => {
  expect(wordDifferences(before, after)).toEqual(differences);
});

test('words come first, then labels; of many the first are shown', () => {
  const before = { text: '1 2 3 4 5 6', labels: labelsOf({ pod: 'a', old: 'x' }) };
  const after = { text: '2 3 4 5 6 7', labels: labelsOf({ pod: 'b', new: 'y' }) };
  expect(differencesOf(before, after)).toBe(
    '1 -> 2, 2 -> 3, 3 -> 4, 4 -> 5, 2 more, new: none -> y, old: x -> none, pod: a -> b',
  );
  expect(differencesOf(before, before)).toBe('');
});
