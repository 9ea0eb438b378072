import { describe, expect, test } from 'vitest';
import { checkAcknowledged, checkPages } from '../../chaos/checks.ts';
import type { Ledger } from '../../chaos/load.ts';
import type { PlainPartition } from '../../chaos/plain.ts';
import type { Answer, Receipt } from '../../chaos/receiver.ts';
import type { Effect, Fact } from '../../src/engine/index.ts';

const page = (id: string): Effect => ({
  id,
  kind: 'notify',
  payload: { receiver: 'web', integration: 'webhook[0]', groupKey: 'g' },
});
const sent = (effectId: string): Fact => ({
  effectId,
  kind: 'notify',
  outcome: { status: 'done', result: { delivered: ['webhook[0]'] } },
});
const received = (key: string, atMs: number, answer: Answer = 'taken'): Receipt => ({
  key,
  atMs,
  answer,
  body: '',
});

/** What is wrong with a fleet that decided these pages, whose log has these facts, and whose receiver got these requests. */
function violationsOf(pages: Effect[], facts: Fact[], receipts: Receipt[]): readonly string[] {
  const byId = new Map(facts.map((fact) => [fact.effectId, fact]));
  return checkPages([{ pages, facts: byId } as unknown as PlainPartition], receipts).violations;
}

describe('pages', () => {
  const [one, two] = [page('g/1/web'), page('g/2/web')];
  const facts = [sent(one.id), sent(two.id)];

  test('that were received once each, in order, are right; so is one that came again under its key', () => {
    const receipts = [received(one.id, 1, 'taken and cut'), received(one.id, 2), received(two.id, 3)];
    expect(violationsOf([one, two], facts, receipts)).toEqual([]);
  });

  test.each([
    ['is not received', [received(one.id, 1), received(two.id, 2, 'failed')], 'was not received'],
    ['was never decided', [received(one.id, 1), received(two.id, 2), received('other', 3)], 'never decided'],
    ['comes after a later one', [received(two.id, 1), received(one.id, 2)], 'after a later one'],
  ])('one that %s is found', (_, receipts, violation) => {
    expect(violationsOf([one, two], facts, receipts)).toEqual([expect.stringContaining(violation)]);
  });

  test('one that was decided twice, and one without an end, are found', () => {
    const receipts = [received(one.id, 1)];
    expect(violationsOf([one, one], facts, receipts)).toEqual([expect.stringContaining('decided twice')]);
    expect(violationsOf([one, two], [sent(one.id)], receipts)).toEqual([
      expect.stringContaining('no end in the log'),
    ]);
  });
});

test('an alert that is missing, there twice, or never sent is found', async () => {
  const ledger: Ledger = {
    fired: new Set(['a', 'b', 'c']),
    resolved: new Set(),
    tried: new Set(['a', 'b', 'c']),
    attemptCount: 3,
    refusedCount: 0,
  };
  const counts = {
    fired: new Map([
      ['a', 2],
      ['b', 1],
      ['d', 1],
    ]),
    resolved: new Map<string, number>(),
  };
  const { violations } = await checkAcknowledged(ledger, { countsOf: async (change) => counts[change] });
  expect(violations).toEqual(['a has fired 2 times', 'c has fired 0 times', 'd was never sent']);
});
