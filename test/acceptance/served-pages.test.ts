import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startReceiver, startTocsin, type RecordingReceiver, type TocsinProcess } from '../support/tocsin.ts';

let folder: string;
let full: RecordingReceiver;
let changes: RecordingReceiver;
let limited: RecordingReceiver;
let server: TocsinProcess;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tocsin-pages-'));
  [full, changes, limited] = await Promise.all([startReceiver(), startReceiver(), startReceiver()]);
  await writeFile(
    join(folder, 'tocsin.yml'),
    `route: { receiver: all, group_by: [team], group_wait: 100ms, group_interval: 300ms, repeat_interval: 1s }
receivers:
  - name: all
    webhook_configs:
      - url: "${full.url}"
      - { url: "${changes.url}", alerts: changed }
      - { url: "${limited.url}", max_alerts: 2 }
`,
  );
  const [config, data] = [join(folder, 'tocsin.yml'), join(folder, 'data')];
  server = await startTocsin('serve', '--config', config, '--data', data, '--listen', '127.0.0.1:0');
});

afterAll(async () => {
  server.child.kill('SIGTERM');
  await server.exited;
  await Promise.all([full.close(), changes.close(), limited.close()]);
  await rm(folder, { recursive: true, force: true });
});

async function post(...alerts: readonly Readonly<Record<string, string>>[]): Promise<void> {
  const response = await fetch(`${server.url}/api/v2/alerts`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(alerts.map(({ endsAt, ...labels }) => ({ labels, ...(endsAt ? { endsAt } : {}) }))),
  });
  expect(response.status).toBe(200);
}

interface Body {
  readonly status: string;
  readonly notification_reason: string;
  readonly groupLabels: { readonly team?: string };
  readonly truncatedAlerts: number;
  readonly alerts: readonly {
    readonly status: string;
    readonly endsAt: string;
    readonly labels: Readonly<Record<string, string>>;
  }[];
  readonly tocsin: { readonly why: readonly string[] };
}

/** The first page of the team's group that was sent for this reason. */
async function pageOf(receiver: RecordingReceiver, team: string, reason: string): Promise<Body> {
  const matches = (body: Body) => body.groupLabels.team === team && body.notification_reason === reason;
  const { body } = await receiver.page((page) => matches(page.body as unknown as Body));
  return body as unknown as Body;
}

function shown({ status, alerts, truncatedAlerts }: Body): string {
  const names = alerts.map((alert) =>
    alert.status === 'firing' ? alert.labels['alertname'] : `(${alert.labels['alertname']})`,
  );
  return `${status}: ${names.join(' ')}, ${truncatedAlerts} missing`;
}

const over = () => ({ endsAt: new Date().toISOString() });

describe('the story of a group', () => {
  const alert = (alertname: string) => ({ alertname, team: 'story' });

  test("is told in Alertmanager's words, whole, by its changes (alertmanager #2686), or within a limit", async () => {
    await post(alert('A'), alert('B'), alert('C'));
    const first = 'first notification';
    expect(shown(await pageOf(full, 'story', first))).toBe('firing: A B C, 0 missing');
    expect(shown(await pageOf(changes, 'story', first))).toBe('firing: A B C, 0 missing');
    // Each is the first of its name.
    expect(shown(await pageOf(limited, 'story', first))).toBe('firing: A B C, 0 missing');

    await post({ ...alert('C'), ...over() }, alert('D'));
    const added = 'new alerts added';
    expect(shown(await pageOf(full, 'story', added))).toBe('firing: A B (C) D, 0 missing');
    const changed = await pageOf(changes, 'story', added);
    expect(shown(changed)).toBe('firing: (C) D, 2 missing');
    expect(changed.tocsin.why).toContain('2 more alerts of the group are as before');
    expect(shown(await pageOf(limited, 'story', added))).toBe('firing: A B (C) D, 0 missing');

    const repeated = 'repeat interval elapsed';
    expect(shown(await pageOf(full, 'story', repeated))).toBe('firing: A B D, 0 missing');
    expect(shown(await pageOf(changes, 'story', repeated))).toBe('firing: A B D, 0 missing');

    await post({ ...alert('A'), ...over() });
    const some = 'some alerts resolved';
    expect(shown(await pageOf(full, 'story', some))).toBe('firing: (A) B D, 0 missing');
    expect(shown(await pageOf(changes, 'story', some))).toBe('firing: (A), 2 missing');
    expect(shown(await pageOf(limited, 'story', some))).toBe('firing: (A) B D, 0 missing');

    await post({ ...alert('B'), ...over() }, { ...alert('D'), ...over() });
    const all = 'all alerts resolved';
    expect(shown(await pageOf(full, 'story', all))).toBe('resolved: (B) (D), 0 missing');
    expect(shown(await pageOf(changes, 'story', all))).toBe('resolved: (B) (D), 0 missing');
  });
});

describe('an alert whose endsAt is the zero time', () => {
  test('fires, and is over when a report says so', async () => {
    const alert = { alertname: 'Zero', team: 'zero' };
    await post({ ...alert, endsAt: '0001-01-01T00:00:00Z' });
    expect(await pageOf(full, 'zero', 'first notification')).toMatchObject({
      status: 'firing',
      alerts: [{ status: 'firing', endsAt: '0001-01-01T00:00:00Z' }],
    });
    await post({ ...alert, ...over() });
    expect(await pageOf(full, 'zero', 'all alerts resolved')).toMatchObject({
      alerts: [{ status: 'resolved', endsAt: expect.stringMatching(/^20\d\d-/) }],
    });
  });
});

describe('an alert that has resolved', () => {
  test('is gone from the API at once, and from the groups when its end was told', async () => {
    const alert = { alertname: 'Gone', team: 'gone' };
    const named = async (path: string): Promise<unknown> =>
      (await fetch(`${server.url}${path}?filter=team%3D%22gone%22`)).json();
    await post(alert);
    await pageOf(full, 'gone', 'first notification');
    expect(await named('/api/v2/alerts/groups')).toHaveLength(1);
    await post({ ...alert, ...over() });
    await pageOf(full, 'gone', 'all alerts resolved');
    expect(await named('/api/v2/alerts')).toEqual([]);
    expect(await named('/api/v2/alerts/groups')).toEqual([]);
  });
});
