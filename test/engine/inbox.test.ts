import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Entry, LogSlice } from '../../src/engine/index.ts';
import { Inbox } from '../../src/engine/inbox.ts';

const slice = (firstPosition: number, ...payloads: unknown[]): LogSlice => ({
  firstPosition,
  entries: payloads.map((payload): Entry => ({ kind: 'alerts', timeMs: 0, payload })),
});
const payloads = (entries: readonly Entry[] | null) => entries?.map(({ payload }) => payload) ?? null;

test('entries come out in order, joined up to the bounds', () => {
  const inbox = new Inbox();
  inbox.push(slice(5, 'a', 'b'));
  inbox.push(slice(7, 'c'));
  inbox.push(slice(8, [1, 2, 3]));
  inbox.push(slice(9, 'd'));
  expect(payloads(inbox.take(5, 3, 100))).toEqual(['a', 'b', 'c']);
  expect(payloads(inbox.take(8, 100, 3))).toEqual([[1, 2, 3]]);
  expect(payloads(inbox.take(9, 100, 100))).toEqual(['d']);
  expect(inbox.take(10, 100, 100)).toBeNull();
});

test('what was read from the log meanwhile is thrown away, and a gap is not passed over', () => {
  const inbox = new Inbox();
  inbox.push(slice(5, 'a', 'b', 'c'));
  inbox.push(slice(8, 'd'));
  inbox.push(slice(12, 'e'));
  expect(payloads(inbox.take(7, 100, 100))).toEqual(['c', 'd']);
  expect(inbox.take(9, 100, 100)).toBeNull();
  expect(payloads(inbox.take(12, 100, 100))).toEqual(['e']);
  inbox.push(slice(13, 'f'));
  expect(inbox.take(20, 100, 100)).toBeNull();
  inbox.push(slice(20, 'g'));
  expect(payloads(inbox.take(20, 100, 100))).toEqual(['g']);
});

test('with the log behind it every entry comes out once, whatever does not fit', () => {
  const steps = fc.array(fc.oneof(fc.integer({ min: 1, max: 60_000 }), fc.constant('take' as const)));
  fc.assert(
    fc.property(steps, (steps) => {
      const inbox = new Inbox();
      const log: number[] = [];
      const folded: unknown[] = [];
      const take = (): void => {
        const entries = inbox.take(folded.length + 1, 4, 1000);
        if (entries) folded.push(...entries.map(({ payload }) => (payload as { length: number }).length));
        else folded.push(...log.slice(folded.length, folded.length + 2));
      };
      for (const step of steps) {
        if (step === 'take') take();
        else {
          log.push(step);
          inbox.push(slice(log.length, Array.from({ length: step })));
        }
      }
      while (folded.length < log.length) take();
      expect(folded).toEqual(log);
    }),
    { numRuns: 50 },
  );
});
