import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { decode, encode } from '../../src/engine/index.ts';
import { Sharing } from '../../src/engine/sharing.ts';

const fields = new Set(['labels', 'signature']);
const copyOf = (value: unknown): unknown => decode(encode(value));

test('whatever it shares, it says the same', () => {
  const plain = fc.jsonValue({ maxDepth: 4 });
  const row = fc.record({
    labels: fc.oneof(fc.array(fc.constantFrom('a', 'b', 'c')), fc.array(fc.constantFrom(1, 2, 0.5)), plain),
    signature: fc.array(fc.constantFrom(1, 2, 2 ** 32 - 1), { minLength: 3, maxLength: 6 }),
    more: plain,
  });
  fc.assert(
    fc.property(fc.array(fc.oneof(row, plain)), (values) => {
      const sharing = new Sharing(fields);
      for (const value of values) expect(sharing.share(copyOf(value))).toEqual(copyOf(value));
    }),
  );
});

test('equal lists of the fields that are never changed are one list, others are not', () => {
  const sharing = new Sharing(fields);
  interface Row {
    labels: string[];
    signature: number[];
    members: string[];
  }
  const row = { labels: ['a', 'b'], signature: [1, 2, 3, 4, 5], members: ['a', 'b'] };
  const left = sharing.share(copyOf(row)) as Row;
  const right = sharing.share(copyOf({ deep: [row] })) as { deep: [Row] };
  expect(right.deep[0].labels).toBe(left.labels);
  expect(right.deep[0].signature).toBe(left.signature);
  expect(right.deep[0].members).not.toBe(left.members);
  const other = sharing.share(copyOf({ ...row, signature: [1, 2, 3, 4, 6] })) as Row;
  expect(other.signature).toEqual([1, 2, 3, 4, 6]);
});
