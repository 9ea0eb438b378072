import { readFile } from 'node:fs/promises';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { TocsinError } from '../engine/index.ts';
import type { Placement } from './placement.ts';

/** A ClickHouse server and how it is spoken to. */
export interface ServerOptions {
  readonly url: string;
  readonly user: string;
  readonly passwordFile?: string | undefined;
  readonly database: string;
  /** PEM files. A certificate without a password also says who the user is. */
  readonly tls?:
    | {
        readonly caFile?: string | undefined;
        readonly certFile?: string | undefined;
        readonly keyFile?: string | undefined;
      }
    | undefined;
  /** 5 s when absent. */
  readonly connectTimeoutMs?: number | undefined;
  /** How long the server may keep silent; 30 s when absent. */
  readonly requestTimeoutMs?: number | undefined;
  /** `zstd` when absent. */
  readonly compression?: 'none' | 'gzip' | 'zstd' | undefined;
  readonly asyncInsert?: boolean | undefined;
  readonly placement?: Placement | undefined;
}

const maxConnections = 10;

/**
 * What the client needs to know of a server. Reads the files that the options name, and rejects with TOC_HISTORY_UNAVAILABLE when one of them
 * can't be read.
 */
export async function serverConnection(options: ServerOptions) {
  const { url, user, passwordFile, tls = {}, compression = 'zstd', requestTimeoutMs = 30_000 } = options;
  const password = passwordFile === undefined ? '' : await read('password_file', passwordFile);
  const [ca, cert, key] = await Promise.all([
    tls.caFile === undefined ? undefined : read('tls.ca_file', tls.caFile),
    tls.certFile === undefined ? undefined : read('tls.cert_file', tls.certFile),
    tls.keyFile === undefined ? undefined : read('tls.key_file', tls.keyFile),
  ]);
  const settings = { keepAlive: true, maxSockets: maxConnections, ca, cert, key };
  const agent = url.startsWith('https:') ? new HttpsAgent(settings) : new HttpAgent(settings);
  limitConnecting(agent, options.connectTimeoutMs ?? 5_000);
  const isKnownByCertificate = cert !== undefined && passwordFile === undefined;
  const codec = compression === 'none' ? false : { codec: compression };
  return {
    url,
    username: user,
    password: password.replace(/\r?\n$/, ''),
    application: 'tocsin',
    http_agent: agent,
    request_timeout: requestTimeoutMs,
    max_open_connections: maxConnections,
    compression: { request: codec, response: codec },
    use_multipart_params_auto: true,
    set_basic_auth_header: !isKnownByCertificate,
    ...(isKnownByCertificate
      ? { http_headers: { 'X-ClickHouse-User': user, 'X-ClickHouse-SSL-Certificate-Auth': 'on' } }
      : {}),
  } as const;
}

async function read(key: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new TocsinError('TOC_HISTORY_UNAVAILABLE', `history.${key} ${file} can't be read`, {
      cause: error,
    });
  }
}

/** Gives up connections that are not made in time. Node knows only how long one that is made may keep silent. */
function limitConnecting(agent: HttpAgent, limitMs: number): void {
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (options, callback) => {
    const socket = connect(options, callback);
    if (socket) limitSocket(socket, limitMs);
    return socket;
  };
}

function limitSocket(socket: Duplex, limitMs: number): void {
  const timer = setTimeout(() => {
    socket.destroy(new Error(`no connection to the ClickHouse server within ${limitMs} ms`));
  }, limitMs);
  const settle = (): void => clearTimeout(timer);
  socket.once(socket instanceof TLSSocket ? 'secureConnect' : 'connect', settle).once('close', settle);
}
