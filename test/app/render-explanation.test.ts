import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { renderExplanation } from '../../src/app/render-explanation.ts';

test('an explanation is an outline in which reasons and labels are one line each', () => {
  const text = renderExplanation({
    kind: 'alert',
    nothing: null,
    none: [],
    signal: {
      labels: { alertname: 'DiskFull', service: 'db' },
      firstAtMs: Date.UTC(2026, 0, 5),
      reasons: [{ stage: 'dedup', code: 'similar_text', text: 'similar text 0.91', weight: 0.91 }],
      fingerprints: ['a', 'b'],
    },
  });
  expect(stripVTControlCharacters(text).split('\n')).toEqual([
    'kind: alert',
    'signal:',
    '  labels: alertname="DiskFull" service="db"',
    '  firstAt: 2026-01-05T00:00:00.000Z',
    '  reasons:',
    '    - similar text 0.91 (dedup, 0.91)',
    '  fingerprints:',
    '    - a',
    '    - b',
  ]);
});

test('what comes from outside cannot steer the terminal', () => {
  const evil = '\u001b]0;owned\u0007\u001b[2J\u009b31m\u202eabc\r\nnext';
  const text = renderExplanation({
    [evil]: evil,
    labels: { [evil]: evil },
    list: [evil],
    reasons: [{ stage: 'dedup', code: 'x', text: evil }],
  });
  // oxlint-disable-next-line no-control-regex -- these are what must not be there
  expect(stripVTControlCharacters(text)).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  expect(text.split('\n')).toHaveLength(6);
});

test('lengths of time are told from times', () => {
  const text = renderExplanation({ periodMs: 300_000, nextFlushMs: Date.UTC(2026, 0, 5) });
  expect(stripVTControlCharacters(text)).toBe('period: 5m\nnextFlush: 2026-01-05T00:00:00.000Z');
});
