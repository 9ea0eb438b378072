import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  compareCodePoints,
  createLabels,
  equalLabels,
  labelsOf,
  labelsToObject,
  labelValue,
  maxSeverity,
  parseSeverity,
  severityRank,
  withLabel,
} from '../../src/alert/index.ts';

test('labels are sorted by name, and empty values are left out', () => {
  expect(labelsOf({ b: '2', a: '1', c: '' })).toEqual(['a', '1', 'b', '2']);
  expect(
    createLabels([
      ['a', '1'],
      ['a', ''],
    ]),
  ).toEqual([]);
});

test('names sort by code point, as their UTF-8 bytes do', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
      expect(Math.sign(compareCodePoints(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
  );
});

test('a label named __proto__ is a label like any other', () => {
  const labels = createLabels([
    ['__proto__', 'x'],
    ['constructor', 'y'],
  ]);
  expect(labelValue(labels, '__proto__')).toBe('x');
  expect(Object.hasOwn(labelsToObject(labels), '__proto__')).toBe(true);
  expect(labelValue(labelsOf({}), 'constructor')).toBe('');
});

test('one label is set or taken away', () => {
  expect(withLabel(labelsOf({ b: '1' }), 'a', '2')).toEqual(['a', '2', 'b', '1']);
  expect(withLabel(labelsOf({ a: '1', b: '2' }), 'a', '')).toEqual(['b', '2']);
  expect(equalLabels(labelsOf({ a: '1' }), labelsOf({ a: '1' }))).toBe(true);
  expect(equalLabels(labelsOf({ a: '1' }), labelsOf({ a: '2' }))).toBe(false);
});

test('severities are read as senders write them', () => {
  expect(['CRIT', ' Warning ', 'P2', 'none', 'bogus', 'constructor', ''].map(parseSeverity)).toEqual([
    'critical',
    'warning',
    'error',
    'info',
    'unknown',
    'unknown',
    'unknown',
  ]);
  expect(maxSeverity('unknown', 'info')).toBe('info');
  expect(severityRank('critical')).toBeGreaterThan(severityRank('error'));
});
