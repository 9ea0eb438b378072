import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { settledPages, startReceiver, startTocsin, type RecordingReceiver } from '../support/tocsin.ts';

let folder: string;
let receiver: RecordingReceiver;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tocsin-demo-test-'));
  receiver = await startReceiver();
});
afterEach(async () => {
  await receiver.close();
  await rm(folder, { recursive: true, force: true });
});

interface SeenIncident {
  readonly title: string;
  readonly state: string;
  readonly services: readonly string[];
}

test('a demo that is killed in the middle goes on and ends with the same incidents, and no page that was done comes twice', async () => {
  const args = ['demo', '--data', folder, '--port', '0', '--page-to', receiver.url];
  const first = await startTocsin(...args);
  await first.says(/10:15 {2}[\d,]+ alerts/);
  const done = await settledPages(first, receiver);
  first.child.kill('SIGKILL');
  await first.exited;

  const second = await startTocsin(...args);
  await second.says(/The API stays up/);
  const response = await fetch(`${second.url}/api/v1/incidents?state=all&limit=1000`);
  const incidents = (await response.json()) as readonly SeenIncident[];
  const funnel = (await (await fetch(`${second.url}/api/v1/funnel`)).json()) as { alerts: number };
  second.child.kill('SIGTERM');
  expect(await second.exited).toBe(0);

  const storm = incidents.filter(
    ({ services, state }) => services.includes('payments-db') && state !== 'merged',
  );
  // The clock of the demo runs fast: where a busy machine makes it stumble, what comes after may count as another event of the same cause.
  expect(storm.length).toBeLessThan(10);
  expect(storm.map(({ title }) => title.split(':')[0])).toContain('payments-db');
  expect(incidents.every(({ state }) => state === 'resolved' || state === 'merged' || state === 'open')).toBe(
    true,
  );
  expect(funnel.alerts).toBeGreaterThanOrEqual(40_000);

  const ids = receiver.received.map(({ id }) => id);
  expect(ids.length).toBeGreaterThan(5);
  for (const id of done) expect(ids.filter((other) => other === id)).toHaveLength(1);
}, 150_000);
