import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LogEntry, TocsinFrame } from '../../src/incident/index.ts';
import { logArbitrary } from './random-log.ts';
import { CheckpointSum } from '../support/checkpoint.ts';
import { createTestFold, type TestFold } from './scene.ts';

const runs = { numRuns: 150 };

async function foldAll(
  test: TestFold,
  entries: readonly LogEntry[],
  cuts: readonly number[],
): Promise<string[]> {
  const told: string[] = [];
  for (let from = 0, cut = 0; from < entries.length; cut++) {
    const to = Math.min(entries.length, from + (cuts[cut % cuts.length] ?? 1));
    const slice = { firstPosition: test.fold.position + 1, entries: entries.slice(from, to) };
    const { frames } = await test.fold.apply(slice);
    told.push(...frames.map(tell));
    from = to;
  }
  return told;
}

/** What the stages said of a moment, as text, so that later changes of their memory cannot hide. */
function tell({ timeMs, flow: { candidateChanges, incidents, answer }, effects }: TocsinFrame): string {
  return JSON.stringify({ timeMs, candidateChanges, incidents, answer, effects });
}

const cutsArbitrary = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });

test('batch cuts do not matter', async () => {
  await fc.assert(
    fc.asyncProperty(logArbitrary, cutsArbitrary, async (entries, cuts) => {
      const whole = await foldAll(createTestFold(), entries, [entries.length]);
      expect(await foldAll(createTestFold(), entries, cuts)).toEqual(whole);
    }),
    runs,
  );
});

test('a crash anywhere and a restore from the checkpoint give the same', async () => {
  await fc.assert(
    fc.asyncProperty(logArbitrary, fc.nat(), fc.nat(), async (entries, a, b) => {
      const whole = await foldAll(createTestFold(), entries, [1]);
      const [first, second] = [a % (entries.length + 1), b % (entries.length + 1)].sort((x, y) => x - y);
      const crashing = createTestFold();
      const told = await foldAll(crashing, entries.slice(0, first), [3]);
      const sum = new CheckpointSum().add(crashing.fold.takeCheckpoint());
      told.push(...(await foldAll(crashing, entries.slice(first, second), [3])));
      sum.add(crashing.fold.takeCheckpoint());
      const restored = createTestFold();
      restored.fold.restore(sum.checkpoint);
      told.push(...(await foldAll(restored, entries.slice(second), [3])));
      expect(told).toEqual(whole);
    }),
    runs,
  );
});

test('each signal belongs to exactly one open candidate, and no candidate holds signals of two domains', async () => {
  await fc.assert(
    fc.asyncProperty(logArbitrary, async (entries) => {
      const folded = createTestFold();
      for (const entry of entries) {
        await foldAll(folded, [entry], [1]);
        const candidates = folded.correlate.candidates();
        const open = candidates.filter(({ state }) => state === 'open').flatMap(({ signalIds }) => signalIds);
        expect(new Set(open).size).toBe(open.length);
        for (const { id, domain, signalIds, state, links } of candidates) {
          expect(signalIds.every((signalId) => signalId.startsWith(`${domain}-`))).toBe(true);
          expect(signalIds.length > 0).toBe(state !== 'merged');
          expect(
            links.every(
              ({ fromSignalId, toSignalId }) =>
                signalIds.includes(fromSignalId) && signalIds.includes(toSignalId),
            ),
          ).toBe(true);
          if (state !== 'open') continue;
          expect(signalIds.map((signalId) => folded.correlate.candidateOfSignal(signalId)?.id)).toEqual(
            signalIds.map(() => id),
          );
        }
      }
    }),
    { numRuns: 60 },
  );
});

test('a merge that is taken back gives the former grouping', async () => {
  await fc.assert(
    fc.asyncProperty(logArbitrary, fc.nat(), fc.nat(), async (entries, a, b) => {
      const folded = createTestFold();
      await foldAll(folded, entries, [entries.length]);
      const live = folded.correlate.candidates().filter(({ state }) => state !== 'merged');
      const [into, from] = [live[a % Math.max(1, live.length)], live[b % Math.max(1, live.length)]];
      fc.pre(into !== undefined && from !== undefined && into !== from && into.domain === from.domain);
      const timeMs = folded.fold.timeMs;
      const command = (payload: object): LogEntry =>
        ({ kind: 'command', timeMs, payload: { by: 'ann', ...payload } }) as LogEntry;
      const merge = command({
        id: 'm',
        kind: 'incident.merge',
        body: { intoId: into.id, fromIds: [from.id] },
      });
      await foldAll(folded, [merge], [1]);
      expect(folded.correlate.candidate(from.id)).toMatchObject({ state: 'merged', mergedInto: into.id });
      await foldAll(folded, [command({ id: 'u', kind: 'incident.undo', body: { commandId: 'm' } })], [1]);
      for (const before of [into, from]) {
        const { state, signalIds, links, resolvedAtMs, mergedInto } = before;
        expect(folded.correlate.candidate(before.id)).toMatchObject({
          state,
          signalIds,
          links,
          resolvedAtMs,
          mergedInto,
        });
      }
    }),
    { numRuns: 150, maxSkipsPerRun: 1000 },
  );
});
