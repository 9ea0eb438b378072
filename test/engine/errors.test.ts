import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { errorCodes, TocsinError, type ErrorCode } from '../../src/engine/index.ts';

const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
const rows = [...page.matchAll(/^\| `(TOC_\w+)` *\| (yes|no) *\| (.+?) *\| (.+?) *\|$/gm)];

test('the page of errors lists each code as the table has it, in order, and says what to do', () => {
  const listed = rows.map(([, code, retryable, summary]) => ({
    code,
    retryable: retryable === 'yes',
    summary,
  }));
  const table = Object.entries(errorCodes).map(([code, { retryable, summary }]) => ({
    code,
    retryable,
    summary,
  }));
  expect(listed).toEqual(table);
  expect(rows.every(([, , , , action = '']) => action.length > 20)).toBe(true);
});

test('codes are in alphabetical order', () => {
  expect(Object.keys(errorCodes)).toEqual(Object.keys(errorCodes).toSorted());
});

test.each(Object.keys(errorCodes) as ErrorCode[])('%s: the code decides whether it is retryable', (code) => {
  expect(new TocsinError(code, 'why').retryable).toBe(errorCodes[code].retryable);
});
