import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';

const entry = new URL('../../bin/tocsin-alertmanager.js', import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), 'tocsin-entry-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(...args: string[]): { readonly status: number | null; readonly output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [entry, ...args], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  return { status, output: stdout + stderr };
}

test('a configuration with mistakes ends the process with all of them, by file, line and column', () => {
  const file = join(folder, 'alertmanager.yml');
  writeFileSync(
    file,
    'route: { receiver: web, group_wait: 1x }\nreceivers: [{ name: web, wechat_configs: [{}] }]\n',
  );
  const args = [
    `--config.file=${file}`,
    `--storage.path=${join(folder, 'data')}`,
    '--web.listen-address=127.0.0.1:0',
  ];
  const { status, output } = run(...args);
  expect(status).toBe(1);
  expect(output).toContain(`${file}:1:37: route.group_wait: expected a duration`);
  expect(output).toContain(
    `${file}:2:26: receivers[0].wechat_configs: wechat_configs is not built in Tocsin yet`,
  );
});

test('a file that is not there, an unknown flag and TLS are refused', () => {
  expect(run(`--config.file=${join(folder, 'none.yml')}`, '--web.listen-address=127.0.0.1:0')).toMatchObject({
    status: 1,
    output: expect.stringContaining('cannot read the configuration file') as string,
  });
  expect(run('--nonsense').output).toContain("unknown long flag '--nonsense', try --help");
  expect(run('--web.config.file=web.yml').output).toContain('--web.config.file is not built in Tocsin yet');
});

test('version and help', () => {
  expect(run('--version')).toMatchObject({
    status: 0,
    output: expect.stringMatching(/version \d/) as string,
  });
  expect(run('-h')).toMatchObject({ status: 0, output: expect.stringContaining('--config.file') as string });
});
