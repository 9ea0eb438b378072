import { describe, expect, test } from 'vitest';
import { estimatePacked, packSignature, type SlotBits } from '../../src/dedup/b-bit.ts';
import { mix, signatureLength, sketch } from '../../src/dedup/minhash.ts';

const pairs = 1000;

describe.each<SlotBits>([1, 2, 4, 8])('with %i bits a slot', (bits) => {
  test.each([0, 0.3, 0.8])('at similarity %f the estimate is as good as theory says', (similarity) => {
    const union = 60;
    const shared = Math.round(union * similarity);
    const own = (union - shared) / 2;
    let sum = 0;
    let squares = 0;
    for (let i = 0; i < pairs; i++) {
      const [a, b] = [new Uint32Array(signatureLength), new Uint32Array(signatureLength)];
      const common = Array.from({ length: shared }, (_, n) => mix(i * 100_003 + n));
      for (const [offset, into] of [a, b].entries()) {
        const rest = Array.from({ length: own }, (_, n) => mix(0x5bd1e995 ^ ((2 * i + offset) * 65_537 + n)));
        sketch(Uint32Array.from([...common, ...rest]), shared + own, into);
      }
      const [packedA, packedB] = [packSignature(a, bits), packSignature(b, bits)];
      expect(packedA.length).toBe((signatureLength * bits) / 8);
      // What is below nothing is cut, so that only similarities above it have no bias.
      const error = estimatePacked(packedA, packedB, bits) - shared / union;
      sum += error;
      squares += error * error;
    }
    const byChance = 2 ** -bits;
    const equal = shared / union + (1 - shared / union) * byChance;
    const standardError = Math.sqrt((equal * (1 - equal)) / signatureLength) / (1 - byChance);
    expect(Math.sqrt(squares / pairs)).toBeLessThan(standardError * (1 + 4 / Math.sqrt(2 * pairs)) + 1e-3);
    if (similarity > 0.2)
      expect(Math.abs(sum / pairs)).toBeLessThan((4 * standardError) / Math.sqrt(pairs) + 1e-3);
  });
});

test('equal signatures are equal packed, and lengths must be', () => {
  const signature = new Uint32Array(signatureLength);
  sketch(Uint32Array.from([1, 2, 3], mix), 3, signature);
  expect(estimatePacked(packSignature(signature, 2), packSignature(signature, 2), 2)).toBe(1);
  expect(() => estimatePacked(new Uint8Array(4), new Uint8Array(8), 2)).toThrow(RangeError);
});
