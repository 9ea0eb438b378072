import { expect, test } from 'vitest';
import { systemClock } from '../../src/app/clock.ts';
import {
  EffectRunner,
  TocsinError,
  type Claim,
  type Effect,
  type EffectRunnerOptions,
  type Fact,
} from '../../src/engine/index.ts';

const effect = (id: string, kind = 'page'): Effect => ({ id, kind, payload: null });

/** A runner with what it told the log, in order. Effects named `a/1` go in lane `a`. */
function createBench(overrides: Partial<EffectRunnerOptions> = {}) {
  const claims: Claim[] = [];
  const facts: Fact[] = [];
  const recorded = new Map<string, Fact['outcome']>();
  const troubles: unknown[] = [];
  const runner = new EffectRunner({
    carriers: { page: async ({ id }) => ({ to: id }) },
    laneOf: ({ id }) => id.split('/')[0]!,
    deliveries: {
      outcomeOf: async (id) => recorded.get(id),
      record: async (id, outcome) => void recorded.set(id, outcome),
    },
    repeatableKinds: new Set(['recall']),
    appendClaim: async (claim) => void claims.push(claim),
    appendFact: async (fact) => void facts.push(fact),
    clock: systemClock,
    retryMs: 1,
    stopGraceMs: 30,
    onUnrecorded: (_, error) => troubles.push(error),
    ...overrides,
  });
  return { runner, claims, facts, recorded, troubles };
}

test('a carrier that does not answer holds its own lane and no other', async () => {
  const { runner, facts } = createBench({
    carriers: {
      page: async ({ id }, stop) => {
        if (id.startsWith('dead/'))
          return new Promise((_, reject) => stop.addEventListener('abort', () => reject(stop.reason)));
        return null;
      },
    },
  });
  runner.run([effect('dead/1'), effect('dead/2'), effect('web/1'), effect('web/2')]);
  await expect.poll(() => facts.length).toBe(2);
  expect(facts.map(({ effectId }) => effectId)).toEqual(['web/1', 'web/2']);
  expect(runner.inFlightCount).toBe(2);
  await runner.stop();
  // Nobody knows how they ended: they stay pending.
  expect(facts).toHaveLength(2);
});

test('effects of a lane go in order, and one that is under way is not taken on twice', async () => {
  const carried: string[] = [];
  const { runner, facts } = createBench({
    carriers: {
      page: async ({ id }) => {
        await new Promise((resolve) => setTimeout(resolve, id.endsWith('1') ? 5 : 0));
        carried.push(id);
      },
    },
  });
  runner.run([effect('a/1'), effect('a/2')]);
  runner.run([effect('a/1'), effect('a/3')]);
  await runner.idle();
  expect(carried).toEqual(['a/1', 'a/2', 'a/3']);
  expect(facts).toHaveLength(3);
});

test('a rejection becomes a failed outcome, with its code when it is one of ours', async () => {
  const { runner, facts } = createBench({
    carriers: {
      page: async ({ id }) => {
        throw id === 'a/1' ? new TocsinError('TOC_NOTIFY_REFUSED', 'no such user') : new TypeError('oops');
      },
      recall: async () => ({ unwritable: 1n }),
    },
  });
  runner.run([effect('a/1'), effect('a/2'), effect('a/3', 'unheard-of'), effect('a/4', 'recall')]);
  await runner.idle();
  expect(facts.map(({ outcome }) => outcome)).toMatchObject([
    { status: 'failed', code: 'TOC_NOTIFY_REFUSED', message: 'no such user' },
    { status: 'failed', code: 'TOC_EFFECT_FAILED', message: 'oops' },
    { status: 'failed', code: 'TOC_EFFECT_UNKNOWN' },
    { status: 'failed', code: 'TOC_EFFECT_FAILED' },
  ]);
});

test('who was replaced while it carried an effect out says nothing of it, to nobody', async () => {
  const { runner, facts, recorded } = createBench({
    carriers: {
      page: async () => {
        throw new TocsinError('TOC_LOG_FENCED', 'another process owns the partition');
      },
    },
  });
  runner.run([effect('a/1')]);
  await runner.idle();
  expect([facts, recorded.size]).toEqual([[], 0]);
});

test('what was carried out is not carried out again because the store or the log does not take it', async () => {
  let carried = 0;
  let refusals = 6;
  const refuse = (code: 'TOC_STORE_UNAVAILABLE' | 'TOC_LOG_UNAVAILABLE'): void => {
    if (refusals-- > 0 && refusals !== 3) throw new TocsinError(code, 'no room');
  };
  const bench = createBench({
    carriers: { page: async () => ++carried },
    deliveries: {
      outcomeOf: async () => undefined,
      record: async () => refuse('TOC_STORE_UNAVAILABLE'),
    },
    appendFact: async (fact) => {
      refuse('TOC_LOG_UNAVAILABLE');
      bench.facts.push(fact);
    },
  });
  bench.runner.run([effect('a/1')]);
  await bench.runner.idle();
  expect(carried).toBe(1);
  expect(bench.facts).toMatchObject([{ effectId: 'a/1', outcome: { status: 'done', result: 1 } }]);
  // Told once for the store and once for the log.
  expect(bench.troubles).toHaveLength(2);
});

test('what was claimed in an earlier life waits while the store cannot say how it ended; what is new does not', async () => {
  let carried = 0;
  const { runner, troubles } = createBench({
    carriers: { page: async () => ++carried },
    deliveries: {
      outcomeOf: async () => {
        throw new TocsinError('TOC_STORE_UNAVAILABLE', 'away');
      },
      record: async () => undefined,
    },
  });
  runner.run([effect('a/1')], () => true);
  await expect.poll(() => troubles.length).toBe(1);
  expect(carried).toBe(0);
  runner.run([effect('b/1')]);
  await expect.poll(() => carried).toBe(1);
  await runner.stop();
  expect(carried).toBe(1);
  expect(runner.inFlightCount).toBe(0);
});

test('a log that is closed is not asked again', async () => {
  let asked = 0;
  const { runner } = createBench({
    appendFact: async () => {
      asked++;
      throw new TocsinError('TOC_LOG_CLOSED', 'closed');
    },
  });
  runner.run([effect('a/1')]);
  await runner.idle();
  expect(asked).toBe(1);
});

test('stopping tells carriers, and does not wait for one that does not heed it', async () => {
  let isTold = false;
  const { runner, facts } = createBench({
    carriers: {
      page: (_, stop) => {
        stop.addEventListener('abort', () => (isTold = true));
        return new Promise(() => undefined);
      },
    },
  });
  runner.run([effect('a/1')]);
  await new Promise((resolve) => setImmediate(resolve));
  await runner.stop();
  expect(isTold).toBe(true);
  runner.run([effect('b/1')]);
  await new Promise((resolve) => setImmediate(resolve));
  expect(facts).toEqual([]);
});

test('the outcome of a question goes into the log alone', async () => {
  const { runner, facts, recorded } = createBench({ carriers: { recall: async () => [] } });
  runner.run([effect('a/1', 'recall')]);
  await runner.idle();
  expect(facts).toHaveLength(1);
  expect(recorded.size).toBe(0);
});

test('of effects about the same that wait only the last is carried out; the others end as superseded', async () => {
  const carried: string[] = [];
  const first = Promise.withResolvers<void>();
  const { runner, facts } = createBench({
    carriers: {
      page: async ({ id }) => {
        carried.push(id);
        if (id === 'web/1') await first.promise;
      },
    },
    laneOf: () => 'web',
    subjectOf: ({ id }) => (id.startsWith('web/') ? 'web' : null),
  });
  runner.run([effect('web/1')]);
  await expect.poll(() => carried).toEqual(['web/1']);
  runner.run([effect('web/2'), effect('other/1'), effect('web/3'), effect('web/4')]);
  first.resolve();
  await runner.idle();
  expect(carried).toEqual(['web/1', 'other/1', 'web/4']);
  const failed = facts.filter(({ outcome }) => outcome.status === 'failed');
  expect(failed.map(({ effectId, outcome }) => [effectId, 'code' in outcome && outcome.code])).toEqual([
    ['web/2', 'TOC_EFFECT_SUPERSEDED'],
    ['web/3', 'TOC_EFFECT_SUPERSEDED'],
  ]);
});

test('who is not admitted waits, and is superseded while waiting; those behind are ended at once', async () => {
  let open: () => void = () => undefined;
  const isOpen = new Promise<void>((resolve) => (open = resolve));
  const carried: string[] = [];
  const { runner, facts } = createBench({
    admit: () => isOpen,
    subjectOf: ({ id }) => id.split('/')[0]!,
    carriers: { page: async ({ id }) => void carried.push(id) },
  });
  for (let n = 1; n <= 1000; n++) runner.run([effect(`a/${n}`)]);
  await expect.poll(() => facts.length).toBe(998);
  // The first is next, and the last says it all.
  expect(runner.inFlightCount).toBe(2);
  open();
  await runner.idle();
  expect(carried).toEqual(['a/1000']);
  expect(facts.filter(({ outcome }) => outcome.status === 'failed')).toHaveLength(999);
});

test('nothing is carried out before the log knows the end of what it supersedes', async () => {
  const carried: string[] = [];
  const first = Promise.withResolvers<void>();
  const away = Promise.withResolvers<void>();
  const facts: Fact[] = [];
  const { runner } = createBench({
    carriers: {
      page: async ({ id }) => {
        carried.push(id);
        if (id === 'web/1') await first.promise;
      },
    },
    subjectOf: () => 'web',
    appendFact: async (fact) => {
      if (fact.effectId === 'web/2') await away.promise;
      facts.push(fact);
    },
  });
  runner.run([effect('web/1')]);
  await expect.poll(() => carried).toEqual(['web/1']);
  runner.run([effect('web/2'), effect('web/3')]);
  first.resolve();
  await expect.poll(() => facts.map(({ effectId }) => effectId)).toEqual(['web/1']);
  await new Promise((resolve) => setImmediate(resolve));
  // A crash now must not leave the second to be sent after the third.
  expect(carried).toEqual(['web/1']);
  away.resolve();
  await runner.idle();
  expect(carried).toEqual(['web/1', 'web/3']);
  expect(facts.map(({ effectId }) => effectId)).toEqual(['web/1', 'web/2', 'web/3']);
});

test('a runner that is stopped lets those go that were not admitted', async () => {
  const { runner, facts } = createBench({
    admit: (_, stop) =>
      new Promise((_resolve, reject) => stop.addEventListener('abort', () => reject(stop.reason as Error))),
  });
  runner.run([effect('a/1'), effect('a/2')]);
  await runner.stop();
  expect([facts, runner.inFlightCount]).toEqual([[], 0]);
});

test('an effect is claimed before it is carried out, and nothing is carried out whose claim is refused', async () => {
  const order: string[] = [];
  const { runner, facts } = createBench({
    carriers: { page: async ({ id }) => void order.push(`carried ${id}`), recall: async () => null },
    appendClaim: async ({ effectId, isRepeated }) => {
      if (effectId === 'fenced/1') throw new TocsinError('TOC_LOG_FENCED', 'another owns the partition');
      order.push(`claimed ${effectId} ${isRepeated}`);
    },
  });
  runner.run([effect('web/1'), effect('fenced/1'), effect('ask/1', 'recall')]);
  await runner.idle();
  expect(order).toEqual(['claimed web/1 false', 'carried web/1']);
  expect(facts.map(({ effectId }) => effectId).toSorted()).toEqual(['ask/1', 'web/1']);
});

test('an effect that was claimed in an earlier life is carried out again or left alone, as it is told', async () => {
  const carried: string[] = [];
  const { runner, claims, facts, recorded } = createBench({
    carriers: { page: async ({ id }) => void carried.push(id) },
    onUncertain: ({ id }) => (id.startsWith('mail') ? 'leave' : 'repeat'),
  });
  recorded.set('done/1', { status: 'done', result: 'earlier' });
  runner.run([effect('mail/1'), effect('web/1'), effect('done/1'), effect('new/1')], (id) => id !== 'new/1');
  await runner.idle();
  expect(carried.toSorted()).toEqual(['new/1', 'web/1']);
  expect(claims.map(({ effectId, isRepeated }) => `${effectId} ${isRepeated}`).toSorted()).toEqual([
    'new/1 false',
    'web/1 true',
  ]);
  expect(new Map(facts.map(({ effectId, outcome }) => [effectId, outcome]))).toMatchObject(
    new Map<string, unknown>([
      ['mail/1', { status: 'failed', code: 'TOC_EFFECT_UNCERTAIN' }],
      ['web/1', { status: 'done' }],
      ['done/1', { status: 'done', result: 'earlier' }],
      ['new/1', { status: 'done' }],
    ]),
  );
});
