import { expect, test } from 'vitest';
import { globalConfig, natsConfig, sourceConfig } from '../../src/source/index.ts';

test('without a configuration there are defaults', () => {
  expect(globalConfig.parse({})).toEqual({ resolve_timeout: 300_000, resolved_retention: 900_000 });
  expect(sourceConfig.parse({})).toMatchObject({ default_domain: 'default', domain_label: 'domain' });
  expect(natsConfig.parse({ servers: ['127.0.0.1:4222'] }).ingest).toEqual({
    subject: 'tocsin.in.*',
    consumer: 'tocsin',
  });
});

test('unknown keys and values that cannot be are refused', () => {
  expect(globalConfig.safeParse({ resolve_timout: '5m' }).success).toBe(false);
  expect(globalConfig.safeParse({ resolve_timeout: 300 }).success).toBe(false);
  expect(sourceConfig.safeParse({ default_domain: '' }).success).toBe(false);
  expect(natsConfig.safeParse({ servers: [] }).success).toBe(false);
  for (const subject of ['tocsin.in', 'tocsin.>', 'tocsin.*.in', 'tocsin.in. *', '*']) {
    expect(natsConfig.safeParse({ servers: ['x'], ingest: { subject } }).success).toBe(false);
  }
  expect(natsConfig.safeParse({ servers: ['x'], ingest: { dead_letter_subject: 'a.*' } }).success).toBe(
    false,
  );
});
