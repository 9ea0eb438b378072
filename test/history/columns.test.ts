import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLabels } from '../../src/alert/index.ts';
import { labelPairsColumn, labelsColumn, timeColumn } from '../../src/history/columns.ts';

test('a moment is written as the calendar says, for all years that the column holds', () => {
  const earliest = Date.UTC(1900, 0, 1);
  const latest = Date.UTC(2299, 11, 31, 23, 59, 59, 999);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: earliest, max: latest }), { maxLength: 5 }), (moments) => {
      for (const timeMs of moments) {
        expect(timeColumn(timeMs)).toBe(new Date(timeMs).toISOString().replace('T', ' ').replace('Z', ''));
      }
    }),
    { numRuns: 500 },
  );
  expect(timeColumn(earliest - 1)).toBe('1900-01-01 00:00:00.000');
  expect(timeColumn(latest + 1)).toBe('2299-12-31 23:59:59.999');
  expect(timeColumn(-1)).toBe('1969-12-31 23:59:59.999');
});

test('labels keep every name, the odd ones too', () => {
  const labels = createLabels([
    ['__proto__', 'a'],
    ['constructor', 'b'],
    ['', 'c'],
  ]);
  expect(Object.entries(labelsColumn(labels))).toEqual([
    ['', 'c'],
    ['__proto__', 'a'],
    ['constructor', 'b'],
  ]);
  expect(labelPairsColumn(labels, 2)).toEqual(['=c', '__proto__=a']);
});
