import { describe, expect, test } from 'vitest';
import { checkAcknowledged, checkPages } from '../../chaos/checks.ts';
import { checkCopies } from '../../chaos/copies.ts';
import type { Ledger } from '../../chaos/load.ts';
import { growthOf } from '../../chaos/memory.ts';
import type { PlainPartition } from '../../chaos/plain.ts';
import { checkBodies, checkRepeats } from '../../chaos/receipts.ts';
import type { Answer, Receipt } from '../../chaos/receiver.ts';
import type { Effect, Fact } from '../../src/engine/index.ts';
import type { Notification } from '../../src/incident/index.ts';
import { webhookBody } from '../../src/notify/index.ts';

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
    attempts: new Map(),
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

test('a report that is in the log more often than it was sent is found, and one that is in none', () => {
  const ledger = {
    fired: new Set(['a', 'b', 'c']),
    resolved: new Set(['a']),
    attempts: new Map([
      ['fired a', 1],
      ['fired b', 2],
      ['fired c', 1],
      ['resolved a', 1],
    ]),
  };
  const copies = new Map([
    ['fired a', 2],
    ['fired b', 2],
    ['resolved a', 1],
  ]);
  expect(checkCopies(ledger, [{ copies }]).violations).toEqual([
    'fired c was acknowledged and is in no log',
    'fired a was sent 1 times and is 2 times in the log',
  ]);
});

describe('a page that comes again under its key', () => {
  const plain = (...claimedAgain: string[]) => [
    {
      pages: [],
      facts: new Map(),
      endedMs: new Map(),
      resolvedMs: new Map(),
      claimedAgain: new Set(claimedAgain),
    },
  ];
  const kill = { kind: 'kill', victim: 'owner-1', beganMs: 50, lengthMs: 100 } as const;
  const repeated = [received('one', 1), received('one', 100)];

  test.each([
    ['its connection was cut', plain(), [received('one', 1, 'taken and cut'), received('one', 100)], []],
    ['another owner has claimed it', plain('one'), repeated, []],
    ['an owner was struck in between', plain(), repeated, [kill]],
    ['its sender had waited long enough', plain(), [received('one', 1), received('one', 501)], []],
  ])('had to where %s', (_, plain, receipts, faults) => {
    expect(checkRepeats(plain, receipts, faults).violations).toEqual([]);
  });

  test('had not to where none of that is so', () => {
    const faults = [
      { ...kill, victim: 'nats-1' },
      { ...kill, beganMs: 101 },
    ];
    expect(checkRepeats(plain(), repeated, faults).violations).toHaveLength(1);
  });
});

test('a page with another body is found, and one that nobody was told of in the end', () => {
  const payload = {
    receiver: 'web',
    integration: 'webhook[0]',
    groupKey: 'g',
    status: 'firing',
    alerts: [
      {
        status: 'firing',
        alert: {
          fingerprint: 'a',
          labels: [],
          annotations: [],
          startsAtMs: 0,
          endsAtMs: 0,
          generatorUrl: '',
        },
      },
    ],
    groupLabels: [],
    notificationReason: 'first notification',
    unchangedCount: 0,
    incident: null,
  };
  const lost: Effect = { id: 'g/1/web', kind: 'notify', payload };
  const told: Effect = { id: 'g/2/web', kind: 'notify', payload };
  const outcome = { status: 'failed', code: 'TOC_NOTIFY_FAILED', message: '' } as const;
  const facts = new Map([[lost.id, { effectId: lost.id, kind: 'notify', outcome }]]);
  const body = JSON.stringify(webhookBody(told.id, payload as unknown as Notification, 0, 'http://a.test'));
  const endedMs = new Map([[lost.id, 10_000]]);
  const nothing = { facts, endedMs, resolvedMs: new Map<string, number>(), claimedAgain: new Set<string>() };
  const plain = { ...nothing, pages: [lost, told] };
  expect(checkBodies([plain], [{ ...received(told.id, 1), body }]).violations).toEqual([]);
  expect(
    checkBodies([plain], [{ ...received(told.id, 1), body: body.replace('firing', 'resolved') }]).violations,
  ).toEqual(['page g/2/web was received with another body']);
  expect(checkBodies([plain], []).violations).toEqual([
    'page g/1/web was not delivered, and its group was told nothing later',
  ]);
  const resolved = (atMs: number) => ({ ...plain, resolvedMs: new Map([['a', atMs]]) });
  expect(checkBodies([resolved(13_000)], []).violations).toEqual([]);
  expect(checkBodies([resolved(13_001)], []).violations).toHaveLength(1);
  const withdrawal: Effect = { ...told, payload: { ...payload, notificationReason: 'withdrawn' } };
  expect(checkBodies([{ ...plain, pages: [lost, withdrawal] }], []).violations).toEqual([]);
});

describe('memory', () => {
  const lifeOf = (mib: (index: number) => number) =>
    Array.from({ length: 90 }, (_, index) => ({ atMs: index * 2_000, mib: mib(index) }));

  test('that grows while a process does the same is found', () => {
    expect(
      growthOf(
        lifeOf((index) => 100 + 10 * index),
        [],
      ),
    ).toEqual(['grew from 550 to 850 MiB while it led 0 partitions']);
    expect(
      growthOf(
        lifeOf(() => 170),
        [],
      ),
    ).toEqual([]);
  });

  test('that a process needs to lead a partition is no growth', () => {
    const lead = { owner: 'owner-1', partition: 2, atMs: 100_000, begins: true };
    expect(
      growthOf(
        lifeOf((index) => (index < 50 ? 170 : 340)),
        [lead],
      ),
    ).toEqual([]);
    expect(
      growthOf(
        lifeOf((index) => (index < 50 ? 170 : 340)),
        [],
      ),
    ).toHaveLength(1);
  });
});
