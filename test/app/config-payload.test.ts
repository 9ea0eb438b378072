import { expect, test } from 'vitest';
import { tocsinConfig } from '../../src/app/config-schema.ts';
import { createConfigPayload } from '../../src/app/scorer.ts';

test('the log is told the same by processes that only listen, store and connect elsewhere', async () => {
  const here = tocsinConfig.parse({ history: { repeat_interval: '2m' } });
  const there = tocsinConfig.parse({
    server: { listen: '127.0.0.1:9999', external_url: 'http://tocsin.example.net' },
    storage: { path: '/elsewhere' },
    history: { repeat_interval: '2m', url: 'http://clickhouse:8123' },
    nats: { servers: ['127.0.0.1:4222'] },
  });
  const payload = await createConfigPayload(here);
  expect(await createConfigPayload(there)).toEqual(payload);
  expect(payload).toMatchObject({ history: { repeat_interval: 120_000 } });
});
