import { describe, expect, test } from 'vitest';
import { isAllowedHost, runbooksConfig } from '../../src/runbook/index.ts';

const withStep = (step: Record<string, unknown>) =>
  runbooksConfig.safeParse({
    catalog: [{ name: 'one', steps: [{ name: 'go', kind: 'http', url: 'http://localhost/', ...step }] }],
  });
const mistakes = (step: Record<string, unknown>): string[] =>
  withStep(step).error?.issues.map(({ message }) => message) ?? [];

test('an empty section means no runbooks', () => {
  expect(runbooksConfig.parse({})).toMatchObject({ allowed_hosts: [], catalog: [] });
});

test('defaults of a step', () => {
  expect(withStep({}).data?.catalog[0]).toEqual({
    name: 'one',
    description: '',
    matchers: [],
    auto_start: false,
    steps: [
      {
        name: 'go',
        kind: 'http',
        method: 'GET',
        url: 'http://localhost/',
        headers: {},
        body: '',
        timeout: 30_000,
      },
    ],
  });
});

describe('refused', () => {
  test.each([
    [{ url: 'ftp://localhost/' }, 'expected an http or https URL'],
    [{ url: '/clean' }, 'expected an http or https URL'],
    [{ url: 'http://ada:secret@localhost/' }, 'without a password'],
    [{ url: 'http://{{ labels.instance }}/restart' }, 'without {{ }} in its host'],
    [{ url: 'http://localhost/{{ labels.pod' }, 'not closed'],
    [{ body: '{{ env.HOME }}' }, 'only {{ incident.id }}'],
    [{ headers: { authorization: 'Bearer x' } }, 'credentials_file'],
    [{ headers: { Cookie: 'a=b' } }, 'credentials_file'],
    [{ headers: { 'X-Note': 'one\r\nX-Two: 2' } }, 'printable ASCII'],
    [{ timeout: '0s' }, 'more than zero'],
    [{ shell: 'rm -rf /' }, 'shell'],
  ])('%j', (step, message) => {
    expect(mistakes(step).join()).toContain(message);
  });

  test('two runbooks of one name, a runbook without steps, a name that fits no URL', () => {
    const runbook = { name: 'one', steps: [{ name: 'a', kind: 'manual', instruction: 'Look.' }] };
    expect(runbooksConfig.safeParse({ catalog: [runbook, runbook] }).success).toBe(false);
    expect(runbooksConfig.safeParse({ catalog: [{ ...runbook, steps: [] }] }).success).toBe(false);
    expect(runbooksConfig.safeParse({ catalog: [{ ...runbook, name: 'a/b' }] }).success).toBe(false);
    expect(runbooksConfig.safeParse({ catalog: [{ ...runbook, matchers: ['a=~"("'] }] }).success).toBe(false);
  });
});

describe('allowed hosts', () => {
  test('none named: this machine only', () => {
    for (const url of ['http://localhost/', 'http://127.0.0.1:9099/x', 'http://127.1/', 'https://[::1]/']) {
      expect(isAllowedHost(url, [])).toBe(true);
    }
    for (const url of [
      'http://example.net/',
      'http://0.0.0.0/',
      'http://127.0.0.1.example.net/',
      'http://10.0.0.1/',
      'file:///etc/passwd',
      'nonsense',
    ]) {
      expect(isAllowedHost(url, [])).toBe(false);
    }
  });

  test('named: exactly those, port included, and this machine no longer by itself', () => {
    const hosts = ['ops.example.net', 'jobs.example.net:8443'];
    expect(isAllowedHost('https://ops.example.net/x', hosts)).toBe(true);
    expect(isAllowedHost('https://OPS.example.net:443/x', hosts)).toBe(true);
    expect(isAllowedHost('https://jobs.example.net:8443/', hosts)).toBe(true);
    for (const url of [
      'https://ops.example.net:8443/',
      'https://jobs.example.net/',
      'https://x.ops.example.net/',
      'http://ops.example.net@evil.example/',
      'http://localhost/',
    ]) {
      expect(isAllowedHost(url, hosts)).toBe(false);
    }
  });
});
