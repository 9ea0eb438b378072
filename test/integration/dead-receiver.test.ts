import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startReceiver, startTocsin, type RecordingReceiver, type TocsinProcess } from '../support/tocsin.ts';

interface Told {
  readonly group: string;
  readonly status: string;
  readonly firing: number;
}

/** A receiver that says nothing until it is woken. */
class SleepingReceiver {
  readonly told: Told[] = [];
  readonly #server: Server;
  readonly #held: ServerResponse[] = [];
  #isAwake = false;

  constructor() {
    this.#server = createServer((request, response) => {
      let text = '';
      request.setEncoding('utf8').on('data', (part: string) => (text += part));
      request.on('end', () => {
        if (!this.#isAwake) return void this.#held.push(response);
        const { groupLabels, status, alerts } = JSON.parse(text) as {
          groupLabels: { alertname: string };
          status: string;
          alerts: { status: string }[];
        };
        const firing = alerts.filter((alert) => alert.status === 'firing').length;
        this.told.push({ group: groupLabels.alertname, status, firing });
        response.end();
        return undefined;
      });
    });
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  /** Requests that hang. */
  get heldCount(): number {
    return this.#held.filter(({ socket }) => socket && !socket.destroyed).length;
  }

  wake(): void {
    this.#isAwake = true;
  }

  async close(): Promise<void> {
    await new Promise((resolve) => {
      this.#server.close(resolve);
      this.#server.closeAllConnections();
    });
  }
}

let folder: string;
let living: RecordingReceiver;
let sleeping: SleepingReceiver;
let tocsin: TocsinProcess;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tocsin-dead-'));
  living = await startReceiver();
  sleeping = new SleepingReceiver();
  const config = join(folder, 'tocsin.yml');
  await writeFile(
    config,
    `route:
  receiver: living
  group_by: [alertname]
  group_wait: 50ms
  group_interval: 200ms
  routes: [{ receiver: sleeping, continue: true }, { receiver: living }]
receivers:
  - { name: living, webhook_configs: [{ url: '${living.url}' }] }
  - { name: sleeping, webhook_configs: [{ url: '${await sleeping.start()}', timeout: 300ms }] }
`,
  );
  const data = join(folder, 'data');
  tocsin = await startTocsin('serve', '--config', config, '--data', data, '--listen', '127.0.0.1:0');
});
afterEach(async () => {
  tocsin.child.kill('SIGTERM');
  await tocsin.exited;
  await Promise.all([living.close(), sleeping.close()]);
  await rm(folder, { recursive: true, force: true });
});

async function post(alerts: readonly Record<string, unknown>[]): Promise<void> {
  const response = await fetch(`${tocsin.url}/api/v2/alerts`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(alerts),
  });
  expect(response.status).toBe(200);
}

const groupOf = ({ body }: { body: Record<string, unknown> }): string =>
  (body['groupLabels'] as { alertname: string }).alertname;

async function circuit(): Promise<{ state: string; waiting: number; lastError: string | null }> {
  const all = (await (await fetch(`${tocsin.url}/api/v1/integrations`)).json()) as {
    receiver: string;
    state: string;
    waiting: number;
    lastError: string | null;
  }[];
  return all.find(({ receiver }) => receiver === 'sleeping')!;
}

test('one dead receiver costs the others nothing; when it is back each group is told once, as things stand then (alertmanager #5018)', async () => {
  const names = Array.from({ length: 200 }, (_, index) => `alert ${index}`);
  const endsAt = '2099-01-01T00:00:00Z';
  await post(names.map((alertname) => ({ labels: { alertname, instance: 'a' }, endsAt })));
  await Promise.all(names.map((name) => living.page((page) => groupOf(page) === name)));
  await expect.poll(async () => (await circuit()).state, { timeout: 20_000 }).toBe('open');
  expect((await circuit()).lastError).toBe('the receiver did not answer within 300ms');
  await expect.poll(() => sleeping.heldCount).toBe(0);

  // While it is away one group grows, one gets well, and the living one hears of both.
  await post([{ labels: { alertname: 'alert 150', instance: 'b' }, endsAt }]);
  await post([{ labels: { alertname: 'alert 151', instance: 'a' }, endsAt: new Date().toISOString() }]);
  await living.page(
    (page) => groupOf(page) === 'alert 150' && (page.body['alerts'] as unknown[]).length === 2,
  );
  await living.page((page) => groupOf(page) === 'alert 151' && page.body['status'] === 'resolved');
  const metrics = await (await fetch(`${tocsin.url}/metrics`)).text();
  expect(metrics).toMatch(
    /^tocsin_integration_circuit_open\{receiver="sleeping",integration="webhook\[0\]"\} (1|0.5)$/m,
  );
  expect(metrics).toMatch(
    /^tocsin_integration_circuit_open\{receiver="living",integration="webhook\[0\]"\} 0$/m,
  );

  sleeping.wake();
  await tocsin.says(/takes pages again/);
  const toldOf = (group: string): Told[] => sleeping.told.filter((told) => told.group === group);
  await expect
    .poll(() => names.filter((name) => name !== 'alert 151' && toldOf(name).length === 0), {
      timeout: 20_000,
    })
    .toEqual([]);
  await expect.poll(async () => (await circuit()).waiting).toBe(0);
  expect(names.filter((name) => toldOf(name).length > 1)).toEqual([]);
  expect(toldOf('alert 150')).toEqual([{ group: 'alert 150', status: 'firing', firing: 2 }]);
  // Nobody had been told that it fires: there is nothing to take back.
  expect(toldOf('alert 151')).toEqual([]);
}, 60_000);
