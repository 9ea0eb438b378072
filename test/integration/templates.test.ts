import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startReceiver, startTocsin, type RecordingReceiver, type TocsinProcess } from '../support/tocsin.ts';

let folder: string;
let receiver: RecordingReceiver;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tocsin-templates-'));
  receiver = await startReceiver();
  await mkdir(join(folder, 'templates'));
});
afterAll(async () => {
  await receiver.close();
  await rm(folder, { recursive: true, force: true });
});

const globals = () => `
global:
  slack_api_url: '${receiver.url}/s3cret'
  http_config: { http_headers: { X-Tenant: { values: [shop] } } }
templates: ['templates/*.tmpl']`;

const ways: readonly (readonly [name: string, flag: string, text: () => string])[] = [
  [
    "Tocsin's own configuration",
    '--config',
    () => `${globals()}
route: { receiver: on-call, group_by: [alertname], group_wait: 10ms, group_interval: 100ms }
receivers: [{ name: on-call, slack_configs: [{ channel: '#own', title: '{{ template "mine" . }}' }] }]`,
  ],
  [
    'an Alertmanager configuration',
    '--alertmanager-config',
    () => `${globals()}
route: { receiver: on-call, group_by: [alertname], group_wait: 10ms, group_interval: 100ms }
receivers: [{ name: on-call, slack_configs: [{ channel: '#alertmanager', title: '{{ template "mine" . }}' }] }]`,
  ],
];

describe.each(ways)('%s', (_name, flag, text) => {
  let server: TocsinProcess;
  const file = () => join(folder, `${flag.slice(2)}.yml`);

  beforeAll(async () => {
    await writeFile(
      join(folder, 'templates/mine.tmpl'),
      '{{ define "mine" }}one {{ .GroupLabels.alertname }}{{ end }}',
    );
    await writeFile(file(), text());
    server = await startTocsin(
      'serve',
      flag,
      file(),
      '--data',
      join(folder, flag),
      '--listen',
      '127.0.0.1:0',
    );
  });
  afterAll(async () => {
    server.child.kill('SIGTERM');
    await server.exited;
  });

  const fire = async (alertname: string): Promise<unknown> => {
    const response = await fetch(`${server.url}/api/v2/alerts`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify([{ labels: { alertname } }]),
    });
    expect(response.ok).toBe(true);
    const isIt = (title: string) => title.endsWith(` ${alertname}`);
    const { body, headers } = await receiver.page(({ body }) =>
      isIt((body['attachments'] as readonly { readonly title: string }[])[0]?.title ?? ''),
    );
    return { body, headers };
  };

  test('its global keys and template files make the message, and a reload reads the files anew', async () => {
    expect(await fire(`${flag} first`)).toMatchObject({
      headers: { 'x-tenant': 'shop' },
      body: { attachments: [{ title: `one ${flag} first` }] },
    });
    await writeFile(
      join(folder, 'templates/mine.tmpl'),
      '{{ define "mine" }}two {{ .GroupLabels.alertname }}{{ end }}',
    );
    expect((await fetch(`${server.url}/-/reload`, { method: 'POST' })).ok).toBe(true);
    expect(await fire(`${flag} second`)).toMatchObject({
      body: { attachments: [{ title: `two ${flag} second` }] },
    });
  });

  test('a template that is broken changes nothing, and says where', async () => {
    await writeFile(join(folder, 'templates/mine.tmpl'), 'x\n {{ nope }}');
    const response = await fetch(`${server.url}/-/reload`, { method: 'POST' });
    expect(response.ok).toBe(false);
    expect(await response.text()).toContain('templates/mine.tmpl:2:5: template: mine.tmpl:2: function');
    expect(await fire(`${flag} third`)).toMatchObject({
      body: { attachments: [{ title: `two ${flag} third` }] },
    });
  });

  test('no secret of it is shown', async () => {
    const shown = await (await fetch(`${server.url}/api/v2/status`)).text();
    expect(shown).toContain('slack_api_url');
    expect(shown).not.toContain('s3cret');
    expect(server.output()).not.toContain('s3cret');
  });
});
