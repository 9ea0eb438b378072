import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { labelsOf } from '../../src/alert/index.ts';
import { certificateFile, headerOf, partOf, startMailServer, type MailServer } from './mail-server.ts';
import { firing, resolved } from './scene.ts';
import { notifierWith, told } from './vendor-scene.ts';

let server: MailServer;
afterEach(() => server.close());

const trusted = { tls_config: { ca_file: certificateFile } };

const email = (config: Record<string, unknown> = {}, globals: Record<string, unknown> = {}) =>
  notifierWith(
    'email_configs',
    {
      to: 'on-call@example.net',
      from: 'tocsin@example.net',
      smarthost: server.smarthost,
      ...trusted,
      ...config,
    },
    globals,
  );

test('a page is a mail over TLS with the default subject and HTML', async () => {
  server = await startMailServer();
  await told(email(), {
    alerts: [
      firing(
        { alertname: 'DiskFull', host: '<b>&' },
        { annotations: labelsOf({ summary: 'Größer als "90 %"' }) },
      ),
    ],
  });
  expect(server.mails).toHaveLength(1);
  const [mail] = server.mails;
  expect(mail).toMatchObject({
    from: 'tocsin@example.net',
    to: ['on-call@example.net'],
    isSecure: true,
    hello: 'localhost',
  });
  const raw = mail?.raw ?? '';
  expect(headerOf(raw, 'Subject')).toBe('[FIRING:1] DiskFull (<b>&)');
  expect(headerOf(raw, 'From')).toBe('tocsin@example.net');
  expect(headerOf(raw, 'To')).toBe('on-call@example.net');
  expect(headerOf(raw, 'Message-ID')).toMatch(/^<[0-9a-f]{32}@.+>$/);
  const html = partOf(raw, 'text/html') ?? '';
  expect(html).toContain('host = &lt;b&gt;&amp;<br');
  expect(html).toContain('summary = Größer als &#34;90 %&#34;<br');
  expect(html).not.toContain('Copyright (c) 2014 Mailgun');
});

test('addresses, headers, text and HTML are templates', async () => {
  server = await startMailServer();
  const notifier = email({
    to: '{{ .CommonLabels.team }}@example.net, "Ops, all" <ops@example.net>',
    from: 'Tocsin <tocsin@example.net>',
    headers: {
      subject: '{{ .Status }} ü {{ .CommonLabels.team }}',
      'X-Priority': '{{ len .Alerts }}',
      'reply-to': 'desk@example.net',
    },
    text: 'Text: {{ .CommonLabels.team }}',
    html: '<p>{{ "<" }}{{ .CommonLabels.team }}</p>',
  });
  await told(notifier, { alerts: [firing({ alertname: 'A', team: 'db' })] });
  const [mail] = server.mails;
  expect(mail?.to).toEqual(['db@example.net', 'ops@example.net']);
  expect(mail?.from).toBe('tocsin@example.net');
  const raw = mail?.raw ?? '';
  expect(headerOf(raw, 'Subject')).toBe('firing ü db');
  expect(headerOf(raw, 'X-Priority')).toBe('1');
  expect(headerOf(raw, 'Reply-To')).toBe('desk@example.net');
  expect(headerOf(raw, 'Content-Type')).toMatch(/^multipart\/alternative;/);
  expect(partOf(raw, 'text/plain')?.trim()).toBe('Text: db');
  expect(partOf(raw, 'text/html')?.trim()).toBe('<p>&lt;db</p>');
});

test('a label cannot add a header or a recipient', async () => {
  server = await startMailServer();
  const evil = 'x\r\nBcc: victim@example.net\r\n\r\nbody';
  await told(
    email({ headers: { Subject: '{{ .CommonLabels.evil }}', 'X-Evil': '{{ .CommonLabels.evil }}' } }),
    {
      alerts: [firing({ alertname: 'A', evil })],
    },
  );
  const [head = ''] = (server.mails[0]?.raw ?? '').split('\r\n\r\n');
  expect(head).not.toMatch(/^bcc:/im);
  expect(server.mails[0]?.to).toEqual(['on-call@example.net']);
  await expect(
    told(email({ to: '{{ .CommonLabels.evil }}' }), { alerts: [firing({ alertname: 'A', evil })] }),
  ).rejects.toMatchObject({ code: 'TOC_NOTIFY_REFUSED' });
});

test('resolved alerts are not mailed unless it is asked for', async () => {
  server = await startMailServer();
  const over = { status: 'resolved', alerts: [resolved({ alertname: 'A' })] } as const;
  await told(email(), over);
  expect(server.mails).toEqual([]);
  await told(email({ send_resolved: true }), over);
  expect(headerOf(server.mails[0]?.raw ?? '', 'Subject')).toBe('[RESOLVED] DiskFull');
});

test('what is sent twice has one Message-Id, and other pages have others', async () => {
  server = await startMailServer();
  for (const id of ['one', 'one', 'two']) await told(email(), {}, id);
  const ids = server.mails.map(({ raw }) => headerOf(raw, 'Message-ID'));
  expect(ids[0]).toBe(ids[1]);
  expect(ids[0]).not.toBe(ids[2]);
});

describe('TLS', () => {
  test('a server without it gets no mail', async () => {
    server = await startMailServer({ hideSTARTTLS: true, disabledCommands: ['STARTTLS'] });
    await expect(told(email())).rejects.toMatchObject({ code: 'TOC_NOTIFY_FAILED' });
    expect(server.mails).toEqual([]);
  });

  test('a server whose certificate nobody vouches for gets no mail, unless that is said not to matter', async () => {
    server = await startMailServer();
    await expect(told(email({ tls_config: {} }))).rejects.toMatchObject({
      code: 'TOC_NOTIFY_FAILED',
      message: expect.stringContaining('email[0]: the mail server could not be reached'),
    });
    await told(email({ tls_config: { insecure_skip_verify: true } }));
    expect(server.mails).toHaveLength(1);
  });

  test('is not used where it is not required, as in Alertmanager', async () => {
    server = await startMailServer();
    await told(email({ require_tls: false }));
    expect(server.mails).toMatchObject([{ isSecure: false }]);
  });
});

describe('authentication', () => {
  let logins: Record<string, string>[];
  const start = async (authMethods: string[]) => {
    logins = [];
    server = await startMailServer({
      authMethods,
      authOptional: false,
      allowInsecureAuth: true,
      onAuth(auth, _session, done) {
        const { method, username = '', password = '' } = auth;
        const isRight = method === 'CRAM-MD5' ? auth.validatePassword?.('s3cret') : password === 's3cret';
        logins.push({ method, username });
        if (isRight) done(null, { user: username });
        else done(new Error('no'));
      },
    });
  };

  test.each(['PLAIN', 'LOGIN'])('by %s with the password of the global configuration', async (method) => {
    await start([method]);
    await told(email({}, { smtp_auth_username: 'ada', smtp_auth_password: 's3cret' }));
    expect(logins).toEqual([{ method, username: 'ada' }]);
    expect(server.mails).toMatchObject([{ user: 'ada' }]);
  });

  test('by CRAM-MD5 with a secret', async () => {
    await start(['CRAM-MD5']);
    await told(email({ auth_username: 'ada', auth_secret: 's3cret' }));
    expect(logins).toEqual([{ method: 'CRAM-MD5', username: 'ada' }]);
  });

  test('in the name of another', async () => {
    await start(['PLAIN']);
    await told(email({ auth_username: 'ada', auth_password: 's3cret', auth_identity: 'ada' }));
    expect(server.mails).toMatchObject([{ user: 'ada' }]);
  });

  test('a password file is read anew for each attempt', async () => {
    await start(['PLAIN']);
    const folder = await mkdtemp(join(tmpdir(), 'tocsin-mail-'));
    const file = join(folder, 'password');
    await writeFile(file, 'old');
    const notifier = email({ auth_username: 'ada', auth_password_file: file });
    await expect(told(notifier, {}, 'one')).rejects.toMatchObject({ code: 'TOC_NOTIFY_FAILED' });
    await writeFile(file, 's3cret\n');
    await told(notifier, {}, 'two');
    expect(server.mails).toHaveLength(1);
    await rm(folder, { recursive: true });
  });
});

test('a refusal is tried again, as in Alertmanager, and says what the server said', async () => {
  let asked = 0;
  server = await startMailServer({
    onRcptTo(_address, _session, done) {
      asked++;
      done(Object.assign(new Error('mailbox is full'), { responseCode: 452 }));
    },
  });
  await expect(told(email())).rejects.toMatchObject({
    code: 'TOC_NOTIFY_FAILED',
    message: expect.stringMatching(
      /email\[0\]: the mail server answered to RCPT TO: 452 mailbox is full \(tried 3 times\)/,
    ),
  });
  expect(asked).toBe(3);
});

test('a server that says nothing is given up after the timeout', async () => {
  server = await startMailServer({ onConnect: () => undefined });
  await expect(told(email({ timeout: '50ms' }))).rejects.toMatchObject({
    code: 'TOC_NOTIFY_FAILED',
    message: expect.stringContaining('the mail server did not take the mail within 50ms'),
  });
});

test('what is not set anywhere is told', async () => {
  server = await startMailServer();
  expect(() => notifierWith('email_configs', { to: 'a@b.c', from: 'a@b.c' })).toThrow(
    /global.smtp_smarthost/,
  );
  expect(() => notifierWith('email_configs', { to: 'a@b.c', smarthost: 'mail:25' })).toThrow(
    /global.smtp_from/,
  );
});
