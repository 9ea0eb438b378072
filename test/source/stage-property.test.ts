import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LogEntry } from '../../src/incident/index.ts';
import { CheckpointSum } from '../support/checkpoint.ts';
import { alertAt, alertsEntry, IntakeScene, tickEntry, type SeenChange } from './scene.ts';

const report = fc
  .record({
    series: fc.integer({ min: 0, max: 4 }),
    startsAt: fc.integer({ min: -10, max: 3 }),
    lasts: fc.integer({ min: 0, max: 12 }),
    endsByTimeout: fc.boolean(),
    version: fc.integer({ min: 0, max: 1 }),
    key: fc.constantFrom('', '', 'k', 'l'),
  })
  .map((values) => ({ ...values }));

/** A log whose time goes on by some minutes with each entry, and in which reports overlap, resolve, expire and come late. */
const logs = fc
  .array(
    fc.record({ minutes: fc.integer({ min: 0, max: 20 }), reports: fc.array(report, { maxLength: 6 }) }),
    { minLength: 1, maxLength: 25 },
  )
  .map((steps) => {
    let now = 0;
    return steps.map(({ minutes, reports }): LogEntry => {
      now += minutes;
      if (reports.length === 0) return tickEntry(now);
      return alertsEntry(
        now,
        ...reports.map(({ series, startsAt, lasts, endsByTimeout, version, key }) => ({
          ...alertAt({ alertname: `a${series}` }, now + startsAt, now + startsAt + lasts, {
            endsByTimeout,
            annotations: { version: String(version) },
          }),
          ...(key === '' ? {} : { key }),
        })),
      );
    });
  });

const cuts = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 25, maxLength: 25 });

test('batch cuts do not matter', async () => {
  await fc.assert(
    fc.asyncProperty(logs, cuts, async (log, sizes) => {
      const whole = await new IntakeScene().apply(...log);
      const scene = new IntakeScene();
      const parts: SeenChange[] = [];
      for (const batch of cut(log, sizes)) parts.push(...(await scene.apply(...batch)));
      expect(parts).toEqual(whole);
    }),
  );
});

test('crash anywhere and restore gives the same', async () => {
  await fc.assert(
    fc.asyncProperty(logs, cuts, fc.nat(), async (log, sizes, crash) => {
      const whole = await new IntakeScene().apply(...log);
      const sum = new CheckpointSum();
      const seen: SeenChange[] = [];
      let scene = new IntakeScene();
      for (const [index, batch] of cut(log, sizes).entries()) {
        seen.push(...(await scene.apply(...batch)));
        sum.add(scene.fold.takeCheckpoint());
        if (index !== crash % 5) continue;
        scene = new IntakeScene();
        scene.fold.restore(sum.checkpoint);
      }
      expect(seen).toEqual(whole);
    }),
  );
});

test('an alert fires, and then resolves or expires, and then fires again; it is never done twice', async () => {
  await fc.assert(
    fc.asyncProperty(logs, async (log) => {
      const scene = new IntakeScene();
      const firing = new Set<string>();
      for (const { change, alert, minutes } of await scene.apply(...log, tickEntry(100_000))) {
        const isFiring = firing.has(alert.fingerprint);
        if (change === 'fired') expect(isFiring).toBe(false);
        else expect(isFiring).toBe(change !== 'ignored');
        if (change === 'fired') firing.add(alert.fingerprint);
        if (change === 'resolved' || change === 'expired') firing.delete(alert.fingerprint);
        expect(alert.startsAtMs <= alert.endsAtMs && Number.isFinite(minutes)).toBe(true);
      }
      expect(firing.size).toBe(0);
      expect(scene.stage.size).toBe(0);
      expect(scene.fold.nextDueMs()).toBeUndefined();
    }),
  );
});

function cut(log: readonly LogEntry[], sizes: readonly number[]): LogEntry[][] {
  const batches: LogEntry[][] = [];
  let start = 0;
  for (const size of sizes) {
    if (start < log.length) batches.push(log.slice(start, start + size));
    start += size;
  }
  return batches;
}
