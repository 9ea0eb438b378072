import { isIP } from 'node:net';
import type { SendMailOptions } from 'nodemailer';
import { formatDuration, plainText } from '../alert/index.ts';
import { TocsinError } from '../engine/index.ts';
import type { TlsOptions } from './connections.ts';

export interface SmtpServer {
  readonly host: string;
  readonly port: number;
  /** How this client calls itself. */
  readonly hello: string;
  readonly requireTls: boolean;
  readonly tls: Partial<TlsOptions>;
  readonly auth: SmtpAuth | null;
  readonly timeoutMs: number;
}

export interface SmtpAuth {
  readonly user: string;
  /** The password, or with CRAM-MD5 the secret. */
  readonly pass: string;
  readonly method: 'CRAM-MD5' | null;
  /** In whose name PLAIN authenticates; empty for the user's own. */
  readonly identity: string;
}

/** The port on which connections speak TLS from the start. */
const implicitTlsPort = 465;

/**
 * Hands a mail to an SMTP server. Without `requireTls` nothing is encrypted, as in Alertmanager, but on port 465. Rejects with
 * TOC_NOTIFY_FAILED, which says what the server answered, also where that was for good: as in Alertmanager it is tried again.
 */
export async function sendMail(server: SmtpServer, mail: SendMailOptions, stop: AbortSignal): Promise<void> {
  const { createTransport } = await import('nodemailer');
  const { host, port, hello, requireTls, tls, auth, timeoutMs } = server;
  const transport = createTransport({
    host,
    port,
    name: hello,
    secure: port === implicitTlsPort,
    requireTLS: requireTls,
    ignoreTLS: !requireTls,
    tls: { ...(isIP(host) === 0 ? { servername: host } : {}), ...tls },
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
    ...(auth ? authOptions(auth) : {}),
  });
  const signal = AbortSignal.any([stop, AbortSignal.timeout(timeoutMs)]);
  try {
    await Promise.race([transport.sendMail(mail), aborted(signal)]);
  } catch (cause) {
    if (!signal.aborted) throw new TocsinError('TOC_NOTIFY_FAILED', complaint(cause), { cause });
    const within = stop.aborted ? 'in time' : `within ${formatDuration(timeoutMs)}`;
    throw new TocsinError('TOC_NOTIFY_FAILED', `the mail server did not take the mail ${within}`, { cause });
  } finally {
    transport.close();
  }
}

type Handler = (context: {
  readonly auth: { readonly credentials: { readonly user: string; readonly pass: string } };
  sendCommand(command: string): Promise<{ readonly status: number }>;
}) => Promise<void>;

function authOptions({ user, pass, method, identity }: SmtpAuth): {
  auth: { user: string; pass: string; method?: string };
  customAuth?: Record<string, Handler>;
} {
  if (method !== null) return { auth: { user, pass, method } };
  if (identity === '') return { auth: { user, pass } };
  const token = Buffer.from(`${identity}\0${user}\0${pass}`).toString('base64');
  return {
    auth: { user, pass, method: plainWithIdentity },
    customAuth: {
      [plainWithIdentity]: async (context) => {
        const { status } = await context.sendCommand(`AUTH PLAIN ${token}`);
        if (status < 200 || status >= 300) throw new Error(`the server refused the login with ${status}`);
      },
    },
  };
}

const plainWithIdentity = 'PLAIN-WITH-IDENTITY';

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = () => reject(signal.reason as Error);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

/** What the server answered; what the library says in other cases may name credentials, and stays in the cause. */
function complaint(cause: unknown): string {
  const { response, command, code } = (cause ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof response === 'string') {
    const to = typeof command === 'string' && command !== 'CONN' ? ` to ${command}` : '';
    return `the mail server answered${to}: ${plainText(response, 200)}`;
  }
  return code === 'ETLS'
    ? 'the mail server does not speak TLS as it has to (require_tls)'
    : 'the mail server could not be reached';
}
