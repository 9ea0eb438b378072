import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

export const certificateFile = new URL('../../fixtures/tls/cert.pem', import.meta.url).pathname;
export const keyFile = new URL('../../fixtures/tls/key.pem', import.meta.url).pathname;

export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  readonly isSecure: boolean;
  readonly user: string;
  /** How the client called itself. */
  readonly hello: string;
  readonly raw: string;
}

export interface MailServer {
  readonly smarthost: string;
  readonly mails: ReceivedMail[];
  close(): Promise<void>;
}

/** A real SMTP server on loopback that keeps the mails that it is given. */
export async function startMailServer(options: SMTPServerOptions = {}): Promise<MailServer> {
  const mails: ReceivedMail[] = [];
  const server = new SMTPServer({
    key: readFileSync(keyFile),
    cert: readFileSync(certificateFile),
    authOptional: true,
    disableReverseLookup: true,
    logger: false,
    onData(stream, session, done) {
      let raw = '';
      stream.setEncoding('utf8');
      stream.on('data', (chunk: string) => (raw += chunk));
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        mails.push({
          from: mailFrom ? mailFrom.address : '',
          to: rcptTo.map(({ address }) => address),
          isSecure: session.secure,
          user: String(session.user ?? ''),
          hello: session.hostNameAppearsAs ?? '',
          raw,
        });
        done();
      });
    },
    ...options,
  });
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    smarthost: `127.0.0.1:${(server.server.address() as AddressInfo).port}`,
    mails,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** A header's value, unfolded, its encoded words decoded. */
export function headerOf(raw: string, name: string): string {
  const [head = ''] = raw.split('\r\n\r\n');
  const line = head
    .replaceAll(/\r\n[ \t]+/g, ' ')
    .split('\r\n')
    .find((header) => header.toLowerCase().startsWith(`${name.toLowerCase()}:`));
  return (line ?? '')
    .slice(name.length + 1)
    .trim()
    .replaceAll(/\?= =\?/g, '?==?')
    .replaceAll(/=\?utf-8\?([qb])\?([^?]*)\?=/gi, (_all, encoding: string, text: string) =>
      encoding.toLowerCase() === 'b'
        ? Buffer.from(text, 'base64').toString('utf8')
        : fromQuotedPrintable(text.replaceAll('_', ' ')),
    );
}

/** The content of the part of that type, decoded; null where there is none. */
export function partOf(raw: string, type: string): string | null {
  const boundary = /boundary="?([^"\r\n;]+)"?/.exec(raw)?.[1];
  const parts = boundary === undefined ? [raw] : raw.split(`--${boundary}`);
  const part = parts.find((text) => /content-type:\s*([^;\r\n]+)/i.exec(text)?.[1] === type);
  if (part === undefined) return null;
  const at = part.indexOf('\r\n\r\n');
  const body = part.slice(at + 4).replace(/\r\n$/, '');
  const text = /base64/i.test(part.slice(0, at))
    ? Buffer.from(body, 'base64').toString('utf8')
    : /quoted-printable/i.test(part.slice(0, at))
      ? fromQuotedPrintable(body)
      : body;
  return text.replaceAll('\r\n', '\n');
}

function fromQuotedPrintable(text: string): string {
  const bytes = text
    .replaceAll(/=\r?\n/g, '')
    .replaceAll(/=([0-9A-F]{2})/gi, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
