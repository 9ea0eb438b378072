import { expect, test } from 'vitest';
import { decoders } from '../../src/source/decoders.ts';
import { alertAt, alertsEntry, context, IntakeScene, words } from './scene.ts';

const labels = { alertname: 'DiskFull' };

function decode(format: keyof typeof decoders, body: unknown) {
  return decoders[format](new TextEncoder().encode(JSON.stringify(body)), context);
}

test.each([
  ['json', { labels, dedup_key: 'k' }],
  ['json', [{ labels, dedupKey: 'k' }]],
  ['json', { labels, alias: 'k' }],
  ['json', { labels, dedup_key: 'k', alias: 'other' }],
  ['json', { labels, dedup_key: '', alias: 'k' }],
  ['alertmanager-webhook', { alerts: [{ labels, status: 'firing', dedup_key: 'k' }] }],
  ['grafana', { alerts: [{ labels, status: 'firing', alias: 'k' }] }],
  ['cloudevents', { specversion: '1.0', id: '1', source: '/s', type: 't', data: { labels, dedup_key: 'k' } }],
] as const)('%s brings the key of its sender', (format, body) => {
  expect(decode(format, body)).toMatchObject({ alerts: [{ key: 'k' }], errors: [] });
});

test('an empty key is none', () => {
  for (const key of ['', null]) {
    const { alerts } = decode('json', { labels, dedup_key: key });
    expect(alerts[0]).not.toHaveProperty('key');
  }
});

test('a key that is no text is told by its field', () => {
  expect(decode('json', { labels, dedup_key: 7 }).errors).toEqual([
    'alert.dedup_key: expected a string, got number 7',
  ]);
});

test("Alertmanager's own API passes over keys, as Alertmanager does", () => {
  const { alerts, errors } = decode('alertmanager', [
    { labels, dedup_key: 'k' },
    { labels, alias: 7 },
  ]);
  expect(errors).toEqual([]);
  for (const alert of alerts) expect(alert).not.toHaveProperty('key');
});

test('a long key is cut, and stays another than those that begin alike', () => {
  const keys = ['a', 'b'].map((end) => {
    const key = decode('json', { labels, dedup_key: `${'x'.repeat(600)}${end}` }).alerts[0]?.key ?? '';
    expect(key.length).toBeLessThanOrEqual(512);
    return key;
  });
  expect(keys[0]).not.toBe(keys[1]);
});

const keyed = (name: string, endsAt: number, key?: string) => ({
  ...alertAt({ alertname: name }, -1, endsAt),
  ...(key === undefined ? {} : { key }),
});

test('a resolve under a key ends what fires under it', async () => {
  const scene = new IntakeScene();
  await scene.apply(
    alertsEntry(0, keyed('one', 60, 'k'), keyed('two', 60, 'k'), keyed('three', 60, 'other')),
  );
  const changes = await scene.apply(alertsEntry(1, keyed('over', 1, 'k')));
  expect(words(changes)).toEqual(['resolved', 'resolved@1']);
  expect([...scene.stage.alerts()].map(({ key }) => key)).toEqual(['other']);
  // It is counted once, for the report that said it.
  expect(changes.map(({ index }) => index)).toEqual([0, -1]);
  expect(words(await scene.apply(alertsEntry(2, keyed('over', 2, 'k'))))).toEqual(['ignored']);
});

test('its own alert is among them, and counts for the report', async () => {
  const scene = new IntakeScene();
  await scene.apply(alertsEntry(0, keyed('one', 60, 'k'), keyed('two', 60, 'k')));
  const changes = await scene.apply(alertsEntry(1, keyed('two', 1, 'k')));
  expect(changes.map(({ alert, index }) => [alert.labels[1], index])).toEqual([
    ['two', 0],
    ['one', -1],
  ]);
});

test('a restart knows what fires under which key', async () => {
  const before = new IntakeScene();
  await before.apply(alertsEntry(0, keyed('one', 60, 'k'), keyed('two', 60, 'k')));
  const after = new IntakeScene();
  after.fold.restore(structuredClone(before.fold.snapshot()));
  const log = alertsEntry(1, keyed('over', 1, 'k'));
  expect(await after.apply(log)).toEqual(await before.apply(log));
});
