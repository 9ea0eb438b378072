import { expect, test } from 'vitest';
import { globalConfig, natsConfig, sourceConfig } from '../../src/source/index.ts';

test('without a configuration there are defaults', () => {
  expect(globalConfig.parse({})).toEqual({ resolve_timeout: 300_000, resolved_retention: 900_000 });
  expect(sourceConfig.parse({})).toMatchObject({ default_domain: 'default', domain_label: 'domain' });
  expect(natsConfig.parse({ servers: ['127.0.0.1:4222'] }).ingest).toEqual({
    subject: 'tocsin.in.*',
    inbox_prefixes: ['_INBOX', '_R_.'],
    consumer: 'tocsin',
    dead_letter_subject: 'tocsin.dead',
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
  for (const prefix of ['', '$JS.API', '.a', '*', 'a b', 'a.>'])
    expect(natsConfig.safeParse({ servers: ['x'], ingest: { inbox_prefixes: [prefix] } }).success).toBe(
      false,
    );
  for (const subject of ['a.*', 'a..b', '.a', 'a b', 'a.>', 'a.'])
    expect(deadLetterSubject({ dead_letter_subject: subject })).toBeUndefined();
});

test('dead letters never come in again, and can be turned off', () => {
  expect(deadLetterSubject({ dead_letter_subject: null })).toBeNull();
  expect(deadLetterSubject({ dead_letter_subject: '' })).toBeNull();
  const refused = [
    { subject: 'tocsin.*' },
    { subject: 'a.b.*', dead_letter_subject: 'a.b.c' },
    { subject: 'dea.*', dead_letter_subject: 'dea.d' },
  ];
  for (const ingest of refused) expect(deadLetterSubject(ingest)).toBeUndefined();
  const allowed = [
    { subject: 'dea.*', dead_letter_subject: 'dead' },
    { subject: 'a.b.*', dead_letter_subject: 'a.b' },
    { subject: 'a.b.*', dead_letter_subject: 'a.b.c.d' },
    { subject: 'a.b.*', dead_letter_subject: 'a.bc.d' },
  ];
  for (const ingest of allowed) expect(deadLetterSubject(ingest)).toBe(ingest.dead_letter_subject);
});

/** What is made of it, undefined when it is refused. */
function deadLetterSubject(ingest: object): string | null | undefined {
  return natsConfig.safeParse({ servers: ['x'], ingest }).data?.ingest.dead_letter_subject;
}
