import { expect, test } from 'vitest';
import { natsConnectionConfig } from '../../src/nats/index.ts';

const messageOf = (options: object): string =>
  natsConnectionConfig.safeParse({ servers: ['127.0.0.1:4222'], ...options }).error?.issues[0]?.message ?? '';

test('there is one way to authenticate at most', () => {
  const ways = [{ user: 'me' }, { token_file: 't' }, { nkey_file: 'n' }, { creds_file: 'c' }];
  for (const [index, one] of ways.entries()) {
    expect(messageOf(one)).toBe('');
    for (const other of ways.slice(index + 1))
      expect(messageOf({ ...one, ...other })).toMatch(/^at most one of user, token_file/);
  }
});

test('what needs something else is refused without it', () => {
  expect(messageOf({ password_file: 'p' })).toBe('needs a user');
  expect(messageOf({ tls: { cert_file: 'c' } })).toBe('cert_file and key_file need each other');
  expect(messageOf({ tls: { key_file: 'k' } })).toBe('cert_file and key_file need each other');
});

test('a secret never stands in a server’s address, and unknown keys are refused', () => {
  expect(messageOf({ servers: ['nats://me:secret@host:4222'] })).toMatch(/must hold no user and password/);
  expect(messageOf({ tls: { ca: 'PEM' } })).toMatch(/Unrecognized key/);
  expect(messageOf({ password: 'p' })).toMatch(/Unrecognized key/);
});
