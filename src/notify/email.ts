import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import type { SendMailOptions } from 'nodemailer';
import { TocsinError } from '../engine/index.ts';
import type { EmailConfig } from './config-email.ts';
import type { ReceiverGlobals } from './config-global.ts';
import { tlsOptions } from './connections.ts';
import type { Integration, IntegrationContext } from './integration.ts';
import { pageOf, type Page } from './page.ts';
import { secretOf } from './secret-file.ts';
import { sendMail, type SmtpAuth, type SmtpServer } from './smtp.ts';

/**
 * Mail as Alertmanager sends it (notify/email/email.go). The Message-Id follows from the page's id: mail that is sent twice, because its
 * acceptance was not heard, is recognized as one.
 */
export function createEmail(name: string, config: EmailConfig, context: IntegrationContext): Integration {
  const { globals } = context;
  const { host, port } = smarthostOf(config.smarthost ?? globals.smtp_smarthost);
  const from = config.from ?? globals.smtp_from;
  if (from === undefined)
    throw new TocsinError('TOC_CONFIG_INVALID', 'no sender is set, neither here nor as global.smtp_from');
  return {
    name,
    sendResolved: config.send_resolved,
    async send(id, notification, stop) {
      const mail = await mailOf(config, from, pageOf(context, id, notification), id);
      const tls = config.tls_config ?? globals.smtp_tls_config;
      const server: SmtpServer = {
        host,
        port,
        hello: config.hello ?? globals.smtp_hello,
        requireTls: config.require_tls ?? globals.smtp_require_tls,
        tls: tls ? await tlsOptions(tls) : {},
        auth: await authOf(config, globals),
        timeoutMs: config.timeout,
      };
      await sendMail(server, mail, stop);
    },
  };
}

function smarthostOf(smarthost: string | undefined): { host: string; port: number } {
  if (smarthost === undefined)
    throw new TocsinError(
      'TOC_CONFIG_INVALID',
      'no server is set, neither here nor as global.smtp_smarthost',
    );
  const [, host = '', port = ''] = /^\[?(.*?)\]?:(\d+)$/.exec(smarthost) ?? [];
  return { host, port: Number(port) };
}

/** Null where no user is named. */
async function authOf(config: EmailConfig, globals: ReceiverGlobals): Promise<SmtpAuth | null> {
  const user = config.auth_username || globals.smtp_auth_username || '';
  if (user === '') return null;
  const hasPassword = (config.auth_password ?? config.auth_password_file) !== undefined;
  const password = hasPassword
    ? await secretOf(config.auth_password, config.auth_password_file)
    : await secretOf(globals.smtp_auth_password, globals.smtp_auth_password_file);
  const identity = config.auth_identity || globals.smtp_auth_identity || '';
  if (password !== '') return { user, pass: password, method: null, identity };
  const hasSecret = (config.auth_secret ?? config.auth_secret_file) !== undefined;
  const secret = hasSecret
    ? await secretOf(config.auth_secret, config.auth_secret_file)
    : await secretOf(globals.smtp_auth_secret, globals.smtp_auth_secret_file);
  return { user, pass: secret, method: 'CRAM-MD5', identity };
}

/** Headers that have a place of their own in a mail. */
const ownHeaders = new Set(['Subject', 'To', 'From', 'Message-Id', 'Cc', 'Bcc', 'Reply-To']);

async function mailOf(config: EmailConfig, from: string, page: Page, id: string): Promise<SendMailOptions> {
  const { text, html } = page;
  const sender = text(from);
  const recipients = text(config.to);
  const headers = new Map(Object.entries(config.headers).map(([name, value]) => [name, text(value)]));
  return {
    envelope: { from: await senderIn(sender), to: await addressesIn(recipients) },
    from: headers.get('From') ?? sender,
    to: headers.get('To') ?? recipients,
    subject: headers.get('Subject') ?? text('{{ template "email.default.subject" . }}'),
    messageId: headers.get('Message-Id') ?? messageIdOf(id),
    ...optional('cc', headers.get('Cc')),
    ...optional('replyTo', headers.get('Reply-To')),
    headers: [...headers].filter(([name]) => !ownHeaders.has(name)).map(([key, value]) => ({ key, value })),
    ...optional('text', config.text && text(config.text)),
    ...optional('html', config.html && html(config.html)),
  };
}

function optional<K extends string>(key: K, value: string | undefined): Partial<Record<K, string>> {
  return value === undefined || value === '' ? {} : ({ [key]: value } as Record<K, string>);
}

function messageIdOf(id: string): string {
  return `<${createHash('sha256').update(id).digest('hex').slice(0, 32)}@${hostname() || 'localhost.localdomain'}>`;
}

async function senderIn(text: string): Promise<string> {
  const [address, ...others] = await addressesIn(text);
  if (address === undefined || others.length > 0)
    throw new TocsinError(
      'TOC_NOTIFY_REFUSED',
      `must be exactly one 'from' address (got: ${address === undefined ? 0 : others.length + 1})`,
    );
  return address;
}

/** The addresses of a header's value. Rejects with TOC_NOTIFY_REFUSED where there is none, or one that is no address. */
async function addressesIn(text: string): Promise<string[]> {
  const { default: parseAddresses } = await import('nodemailer/lib/addressparser');
  const addresses = parseAddresses(text, { flatten: true }).map(({ address }) => address ?? '');
  const isList =
    addresses.length > 0 &&
    addresses.every((address) => /^[^\s@]+@[^\s@]+$/.test(address)) &&
    !/\p{Cc}/u.test(text.replaceAll('\t', ''));
  if (!isList)
    throw new TocsinError('TOC_NOTIFY_REFUSED', `${JSON.stringify(text)} is no list of mail addresses`);
  return addresses;
}
