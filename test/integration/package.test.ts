import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startNode, startReceiver } from '../support/tocsin.ts';

const root = new URL('../../', import.meta.url).pathname;
let folder: string;
let bin: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tocsin-package-'));
  const pack = spawnSync('npm', ['pack', '--silent', '--pack-destination', folder], {
    cwd: root,
    encoding: 'utf8',
  });
  const archive = pack.stdout.trim().split('\n').at(-1) ?? '';
  expect(spawnSync('tar', ['xzf', join(folder, archive), '-C', folder]).status).toBe(0);
  await symlink(join(root, 'node_modules'), join(folder, 'package', 'node_modules'));
  bin = join(folder, 'package', 'bin');
}, 120_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

test('what is shipped runs without sources: it keeps a history, scores in workers, and pages', async () => {
  const receiver = await startReceiver();
  const config = join(folder, 'tocsin.yml');
  await writeFile(
    config,
    `route: { receiver: web, group_by: [alertname], group_wait: 100ms, group_interval: 1s }
receivers: [{ name: web, webhook_configs: [{ url: '${receiver.url}' }] }]
score: { workers: 1, min_rows_for_workers: 1 }
`,
  );
  const args = ['serve', '--config', config, '--data', join(folder, 'data'), '--listen', '127.0.0.1:0'];
  const tocsin = await startNode(join(bin, 'tocsin.js'), ...args);
  const response = await fetch(`${tocsin.url}/api/v2/alerts`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify([{ labels: { alertname: 'DiskFull', instance: 'a' } }]),
  });
  expect(response.status).toBe(200);
  await receiver.page(({ body }) => body['status'] === 'firing');
  tocsin.child.kill('SIGTERM');
  expect(await tocsin.exited).toBe(0);
  await receiver.close();
  expect(tocsin.output()).not.toMatch(/no history|"level":(?:50|"error")|level=error/);
}, 60_000);

test('and so does the entry that stands in for Alertmanager', () => {
  const { stdout, status } = spawnSync(process.execPath, [join(bin, 'tocsin-alertmanager.js'), '--version'], {
    encoding: 'utf8',
  });
  expect([status, stdout]).toEqual([0, expect.stringMatching(/^tocsin-alertmanager, version \d/)]);
});
