import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { configWarnings } from '../../src/app/config-checks.ts';
import { loadConfig } from '../../src/app/config-file.ts';
import { parseConfig } from '../../src/app/config.ts';
import type { TocsinConfig } from '../../src/app/config-schema.ts';
import { readableConfig } from '../../src/app/shown-config.ts';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

function configOf(text: string): TocsinConfig {
  const outcome = parseConfig(text);
  if (!outcome.ok)
    throw new Error(outcome.mistakes.map(({ path, message }) => `${path}: ${message}`).join('\n'));
  return outcome.config;
}

test.each([
  ['the defaults', ''],
  ["the demo's", readFileSync(new URL('../../fixtures/demo/tocsin.yml', import.meta.url), 'utf8')],
  [
    'one with every kind of section',
    `route: { receiver: a, group_by: [incident], group_wait: 10s, routes: [{ receiver: b, repeat_interval: 1h30m }] }
receivers:
  - { name: a, webhook_configs: [{ url: 'http://127.0.0.1:1/', timeout: 3s }], pushover_configs: [{ user_key_file: u, token_file: t, ttl: 1m }] }
  - { name: b, console_configs: [{}] }
cluster: { peers: ['127.0.0.1:9095'] }
nats: { servers: ['127.0.0.1:4222'], tls: { ca_file: a }, ingest: { dead_letter_subject: '' } }
services: [{ name: shop, tier: 1 }]
`,
  ],
  [
    "a fleet's",
    `fleet:
  partitions: 3
  lease: 90s
  log: { servers: ['127.0.0.1:4222'], max_age: 30d }
  store: { url: 'redis://127.0.0.1:6379', command_timeout: 3s }
history: { url: 'http://127.0.0.1:8123' }
`,
  ],
])('the configuration that is shown means what was written: %s', (_, text) => {
  const config = configOf(text);
  // URLs are secrets, which are not shown.
  const shown = stringify(readableConfig(config)).replaceAll(/\S*<secret>/g, 'http://127.0.0.1:1/');
  expect({ ...configOf(shown), receivers: [] }).toEqual({ ...config, receivers: [] });
});

test('a file of which a cut-off write left nothing is refused, and one without receivers is warned of', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-config-'));
  const configFile = join(folder, 'tocsin.yml');
  await writeFile(configFile, '\n');
  expect(await loadConfig({ configFile })).toEqual({
    ok: false,
    errors: [`${configFile}:1:1: the file is empty`],
  });
  await writeFile(configFile, 'services: [{ name: shop, depends_on: [databse, shop] }]\n');
  expect(await loadConfig({ configFile })).toMatchObject({
    ok: true,
    warnings: [
      'service shop depends on databse, which is not in the catalog',
      'service shop depends on itself',
      'There is no route and there are no receivers: pages go to the console only.',
    ],
  });
  expect(configWarnings(configOf(''), '')).toEqual([]);
  await rm(folder, { recursive: true });
});
