import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLabels, emptyLabels, fingerprint, labelsOf } from '../../src/alert/index.ts';

test('the fingerprint of no labels is the offset of FNV-1a', () => {
  expect(fingerprint(emptyLabels)).toBe('cbf29ce484222325');
});

test('the fingerprint is that of prometheus/common', () => {
  const labels = labelsOf({ name: 'garland, briggs', fear: 'love is not enough' });
  expect(BigInt(`0x${fingerprint(labels)}`)).toBe(5799056148416392346n);
});

test('the order in which labels are given does not matter', () => {
  expect(fingerprint(labelsOf({ b: '2', a: '1' }))).toBe(fingerprint(labelsOf({ a: '1', b: '2' })));
});

test('a name and its value do not run into each other', () => {
  expect(fingerprint(labelsOf({ ab: 'c' }))).not.toBe(fingerprint(labelsOf({ a: 'bc' })));
});

test('it is FNV-1a 64 of the UTF-8 bytes, for any text', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary', minLength: 1 })),
      (object) => {
        const labels = createLabels(Object.entries(object));
        expect(fingerprint(labels)).toBe(slowFingerprint(labels));
      },
    ),
  );
});

/** The definition, word for word, in 64-bit integers. */
function slowFingerprint(labels: readonly string[]): string {
  let hash = 0xcbf29ce484222325n;
  for (const part of labels) {
    for (const byte of [...Buffer.from(part, 'utf8'), 0xff]) {
      hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
    }
  }
  return hash.toString(16).padStart(16, '0');
}
