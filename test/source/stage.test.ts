import { describe, expect, test } from 'vitest';
import type { LogEntry } from '../../src/incident/index.ts';
import { globalConfig } from '../../src/source/index.ts';
import { alertAt, alertsEntry, IntakeScene, minuteMs, nowMs, tickEntry, words } from './scene.ts';

const labels = { alertname: 'DiskFull' };
const timeout = { endsByTimeout: true };

describe('an alert', () => {
  test('fires, is repeated, and resolves', async () => {
    const scene = new IntakeScene();
    const seen = await scene.apply(
      alertsEntry(0, alertAt(labels, 0, 5, timeout)),
      alertsEntry(1, alertAt(labels, 0, 6, timeout)),
      alertsEntry(2, alertAt(labels, 0, 2)),
      alertsEntry(3, alertAt(labels, 0, 2)),
    );
    expect(words(seen)).toEqual(['fired', 'repeated', 'resolved', 'ignored']);
    expect([...scene.stage.alerts()]).toEqual([]);
  });

  test('expires when nobody repeats it', async () => {
    const scene = new IntakeScene();
    const seen = await scene.apply(
      alertsEntry(0, alertAt(labels, 0, 5, timeout)),
      alertsEntry(3, alertAt(labels, 0, 8, timeout)),
      tickEntry(7),
      tickEntry(60),
    );
    expect(words(seen)).toEqual(['fired', 'repeated', 'expired@8']);
  });

  test('with other annotations is updated', async () => {
    const seen = await new IntakeScene().apply(
      alertsEntry(0, alertAt(labels, 0, 5, { annotations: { v: '1' } })),
      alertsEntry(1, alertAt(labels, 0, 6, { annotations: { v: '2' } })),
      alertsEntry(2, alertAt(labels, 0, 7, { annotations: { v: '2' } })),
    );
    expect(words(seen)).toEqual(['fired', 'updated', 'repeated']);
    expect(seen[1]?.alert.annotations).toEqual(['v', '2']);
  });

  test('whose end is announced fires until then', async () => {
    const seen = await new IntakeScene().apply(
      alertsEntry(0, alertAt(labels, 0, 5, timeout)),
      alertsEntry(1, alertAt(labels, 0, 3)),
      tickEntry(10),
    );
    expect(words(seen)).toEqual(['fired', 'repeated', 'expired@3']);
  });

  test('that only ever resolved is ignored and not remembered', async () => {
    const scene = new IntakeScene();
    expect(words(await scene.apply(alertsEntry(0, alertAt(labels, -2, -1))))).toEqual(['ignored']);
    expect(scene.stage.size).toBe(0);
  });

  test('fires again after it resolved, with its new start', async () => {
    const seen = await new IntakeScene().apply(
      alertsEntry(0, alertAt(labels, 0, 5, timeout)),
      alertsEntry(1, alertAt(labels, 0, 1)),
      alertsEntry(4, alertAt(labels, 4, 9, timeout)),
    );
    expect(words(seen)).toEqual(['fired', 'resolved', 'fired']);
    expect(seen[2]?.alert.startsAtMs).toBe(nowMs + 4 * minuteMs);
  });

  test('repeated in the moment in which it expires has expired and fires again', async () => {
    const seen = await new IntakeScene().apply(
      alertsEntry(0, alertAt(labels, 0, 5, timeout)),
      alertsEntry(5, alertAt(labels, 0, 10, timeout)),
    );
    expect(words(seen)).toEqual(['fired', 'expired@5', 'fired']);
  });

  test('may be in one batch several times', async () => {
    const seen = await new IntakeScene().apply(
      alertsEntry(
        0,
        alertAt(labels, -1, 5),
        alertAt(labels, -1, 0),
        alertAt(labels, 0, 5),
        alertAt(labels, 0, 5),
      ),
    );
    expect(words(seen)).toEqual(['fired', 'resolved', 'fired', 'repeated']);
    expect(seen.map(({ index }) => index)).toEqual([0, 1, 2, 3]);
  });

  test('that ends in the year 9999 is taken', async () => {
    const seen = await new IntakeScene().apply(
      alertsEntry(0, { ...alertAt(labels, 0, 5), endsAtMs: 253_402_300_799_000 }),
      tickEntry(1_000_000),
    );
    expect(words(seen)).toEqual(['fired']);
  });

  test('whose report encloses what is known began earlier, and does not fire anew', async () => {
    const seen = await new IntakeScene().apply(
      alertsEntry(0, alertAt(labels, 0, 5, { annotations: { v: '1' } })),
      alertsEntry(1, alertAt(labels, -1, 6, { annotations: { v: '1' } })),
    );
    expect(words(seen)).toEqual(['fired', 'updated']);
    expect(seen[1]?.alert.startsAtMs).toBe(nowMs - minuteMs);
  });
});

/** types/types_test.go `TestAlertMerge`, in minutes from now; reports arrive a minute apart. */
describe('two reports of one alert are merged as in Alertmanager', () => {
  type Times = readonly [starts: number, ends: number, endsByTimeout: boolean];
  test.each<[string, Times, Times, Times]>([
    ['both by timeout', [-2, 2, true], [-1, 3, true], [-2, 3, true]],
    ['by timeout, then given', [-1, 3, true], [0, 2, false], [-1, 2, false]],
    [
      'given, then by timeout: the given end rules while it is the latest',
      [-1, 3, false],
      [0, 2, true],
      [-1, 3, false],
    ],
    ['both given: the later end rules', [-1, 3, false], [0, 2, false], [-1, 3, false]],
    ['both given, the second later', [-1, 3, false], [-1, 4, false], [-1, 4, false]],
    ['firing, then resolved', [-2, 3, false], [-2, 1, false], [-2, 1, false]],
  ])('%s', async (_name, first, second, merged) => {
    const scene = new IntakeScene();
    const seen = await scene.apply(
      alertsEntry(0, alertAt(labels, first[0], first[1], { endsByTimeout: first[2] })),
      alertsEntry(1, alertAt(labels, second[0], second[1], { endsByTimeout: second[2] })),
    );
    expect(seen[1]?.alert).toMatchObject({
      startsAtMs: nowMs + merged[0] * minuteMs,
      endsAtMs: nowMs + merged[1] * minuteMs,
      endsByTimeout: merged[2],
    });
  });

  test('after it resolved, an overlapping report keeps the earlier start', async () => {
    const seen = await new IntakeScene().apply(
      alertsEntry(-3, alertAt(labels, -3, 5)),
      alertsEntry(-1, alertAt(labels, -3, -1)),
      alertsEntry(0, alertAt(labels, -2, 1)),
    );
    expect(words(seen)).toEqual(['fired', 'resolved', 'fired']);
    expect(seen[2]?.alert.startsAtMs).toBe(nowMs - 3 * minuteMs);
  });
});

describe('what is remembered', () => {
  test('alerts of two domains never meet', async () => {
    const scene = new IntakeScene();
    const here = alertAt(labels, 0, 5);
    const there = alertAt({ ...labels, domain: 'shop' }, 0, 5);
    const seen = await scene.apply(
      alertsEntry(0, here, there),
      alertsEntry(1, { ...here, endsAtMs: nowMs + minuteMs }),
    );
    expect(words(seen)).toEqual(['fired', 'fired', 'resolved']);
    expect([...scene.stage.alerts()].map(({ domain }) => domain)).toEqual(['shop']);
    expect(scene.stage.alert(here.fingerprint)?.endsAtMs).toBe(nowMs + minuteMs);
  });

  test('a resolved alert is forgotten after resolved_retention', async () => {
    const scene = new IntakeScene();
    await scene.apply(
      alertsEntry(0, alertAt(labels, 0, 5)),
      alertsEntry(1, alertAt(labels, 0, 1)),
      tickEntry(15),
    );
    expect(scene.stage.size).toBe(1);
    await scene.apply(tickEntry(16));
    expect(scene.stage.size).toBe(0);
    expect(scene.fold.nextDueMs()).toBeUndefined();
  });

  test('the retention is that of the configuration, also after a restart', async () => {
    const scene = new IntakeScene();
    await scene.apply(
      config('1m'),
      alertsEntry(0, alertAt(labels, 0, 5)),
      alertsEntry(1, alertAt(labels, 0, 1)),
      tickEntry(2),
    );
    expect(scene.stage.size).toBe(0);
    const restarted = new IntakeScene();
    restarted.fold.restore({
      position: 0,
      timeMs: 0,
      rows: [{ table: 'engine/config', key: 'current', order: 1, value: config('2m') }],
    });
    await restarted.apply(
      alertsEntry(0, alertAt(labels, 0, 5)),
      alertsEntry(1, alertAt(labels, 0, 1)),
      tickEntry(2),
    );
    expect(restarted.stage.size).toBe(1);
    await restarted.apply(tickEntry(3));
    expect(restarted.stage.size).toBe(0);
  });

  test('one timer an alert, which is not moved by repeats', async () => {
    const scene = new IntakeScene();
    await scene.apply(alertsEntry(0, alertAt(labels, 0, 5, timeout)));
    scene.fold.takeCheckpoint();
    await scene.apply(alertsEntry(1, alertAt(labels, 0, 6, timeout)));
    expect(scene.fold.takeCheckpoint().changes.map(({ table }) => table)).toEqual(['source/alerts']);
    expect(scene.fold.nextDueMs()).toBe(nowMs + 5 * minuteMs);
  });

  test('a repeat keeps the labels and annotations that are known, and does not change what was handed on', async () => {
    const scene = new IntakeScene();
    const options = { ...timeout, annotations: { v: '1' } };
    const [fired] = await scene.apply(alertsEntry(0, alertAt(labels, 0, 5, options)));
    const [repeated] = await scene.apply(alertsEntry(1, alertAt(labels, 0, 6, options)));
    expect(repeated?.alert.labels).toBe(fired?.alert.labels);
    expect(repeated?.alert.annotations).toBe(fired?.alert.annotations);
    expect(fired?.alert.endsAtMs).toBe(nowMs + 5 * minuteMs);
  });
});

function config(retention: string): LogEntry {
  return {
    kind: 'config',
    timeMs: nowMs,
    payload: { global: globalConfig.parse({ resolved_retention: retention }) },
  };
}
