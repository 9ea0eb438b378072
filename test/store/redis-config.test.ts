import { expect, test } from 'vitest';
import { redisConfig } from '../../src/store/index.ts';

const mistakes = (config: unknown): string[] =>
  redisConfig.safeParse(config).error?.issues.map(({ path, message }) => [...path, message].join(': ')) ?? [];

test('one server, servers behind Sentinel, and Redis Cluster are said in their own ways', () => {
  expect(redisConfig.parse({ url: 'redis://redis:6379' })).toEqual({
    url: 'redis://redis:6379',
    db: 0,
    key_prefix: 'tocsin',
    connect_timeout: 5000,
    command_timeout: 5000,
  });
  expect(mistakes({ sentinels: ['s1:26379', 's2', '[::1]:26379'], master_name: 'main' })).toEqual([]);
  expect(mistakes({ nodes: ['10.0.0.1:6379', 'redis-2'], user: 'tocsin', password_file: 'p' })).toEqual([]);
});

test.each([
  [{}, 'exactly one of url, sentinels and nodes'],
  [{ url: 'redis://a', nodes: ['b'] }, 'exactly one of url, sentinels and nodes'],
  [{ url: 'http://a' }, 'url: expected a redis or rediss URL'],
  [{ url: 'redis://me:secret@a' }, 'url: must hold no user and password: use user and password_file'],
  [{ url: 'redis://a/3' }, 'url: must end after host and port: use db for the database'],
  [{ sentinels: ['a'] }, 'sentinels: needs master_name'],
  [{ url: 'redis://a', master_name: 'main' }, 'master_name: needs sentinels'],
  [{ url: 'redis://a', user: 'tocsin' }, 'user: needs password_file'],
  [{ nodes: ['a'], db: 3 }, 'db: Redis Cluster has no other database than 0'],
  [{ nodes: ['redis://a'] }, 'nodes: 0: expected host:port, without user and password'],
  [{ nodes: ['secret@a'] }, 'nodes: 0: expected host:port, without user and password'],
  [{ url: 'redis://a', tls: { cert_file: 'c' } }, 'tls: cert_file and key_file need each other'],
  [
    { url: 'redis://a', key_prefix: 'a{b}' },
    'key_prefix: must be letters, digits, dots, colons, dashes and underscores',
  ],
])('%j is refused: %s', (config, message) => {
  expect(mistakes(config)).toContain(message);
});
