import {
  connect,
  credsAuthenticator,
  errors,
  nkeyAuthenticator,
  nkeys,
  tokenAuthenticator,
  usernamePasswordAuthenticator,
  type Authenticator,
  type NatsConnection,
} from '@nats-io/transport-node';
export { createInbox, headers } from '@nats-io/transport-node';
import { TocsinError } from '../engine/index.ts';
import { readConfigFile, reasonOf } from './config-file.ts';
import type { NatsConnectionConfig } from './config.ts';
import { tlsOptions } from './tls.ts';

const maxConnectMs = 5000;
/** A server that answers nothing, and closes nothing either, is left for another after three of these. */
const pingMs = 5000;

/** As `connectNats`. */
export async function openConnection(config: NatsConnectionConfig, name: string): Promise<NatsConnection> {
  const authenticator = authenticatorOf(config);
  const tls = tlsOptions(config);
  try {
    return await connect({
      servers: config.servers,
      name,
      // How long a server may take to answer. One that refuses a client certificate never does.
      timeout: maxConnectMs,
      maxReconnectAttempts: -1,
      pingInterval: pingMs,
      maxPingOut: 2,
      // Else the client gives up for good when credentials are refused twice; they may be renewed, or the server set right.
      ignoreAuthErrorAbort: true,
      ...(authenticator ? { authenticator } : {}),
      ...(tls ? { tls } : {}),
    });
  } catch (cause) {
    const where = config.servers.join(', ');
    const isRefused = cause instanceof errors.AuthorizationError;
    throw new TocsinError(
      'TOC_NATS_UNAVAILABLE',
      isRefused
        ? `the NATS server refuses the credentials, at ${where}`
        : `cannot connect to a NATS server at ${where}: ${reasonOf(cause)}`,
      { cause },
    );
  }
}

function authenticatorOf(config: NatsConnectionConfig): Authenticator | undefined {
  const { user, password_file, token_file, nkey_file, creds_file } = config;
  if (token_file !== undefined)
    return fromFile('token_file', token_file, (text) => tokenAuthenticator(secretOf(text)));
  if (nkey_file !== undefined)
    return fromFile('nkey_file', nkey_file, (text) => nkeyAuthenticator(seedOf(text)));
  if (creds_file !== undefined) return fromFile('creds_file', creds_file, credentialsOf);
  if (user === undefined) return undefined;
  if (password_file === undefined) return usernamePasswordAuthenticator(user, '');
  return fromFile('password_file', password_file, (text) =>
    usernamePasswordAuthenticator(user, secretOf(text)),
  );
}

/**
 * Authenticates by what the file holds when the client connects. INVARIANT: what it returns never throws, because the client closes for
 * good when its authenticator does: a file that has become unreadable leaves the last credentials in use.
 */
function fromFile(key: string, file: string, parse: (text: string) => Authenticator): Authenticator {
  let last = readConfigFile(key, file, parse);
  return (nonce) => {
    try {
      last = readConfigFile(key, file, parse);
    } catch {
      // The server decides whether the last credentials still hold, and says so.
    }
    return last(nonce);
  };
}

function secretOf(text: string): string {
  const secret = text.trim();
  if (secret === '') throw new Error('expected a secret, got an empty file');
  return secret;
}

/** The seed of a user that stands on a line of its own. */
function seedOf(text: string): Uint8Array {
  const seed = /^SU[A-Z2-7]{56}$/m.exec(text.replaceAll('\r', ''))?.[0];
  if (seed === undefined) throw new Error('expected the nkey seed of a user, which begins with SU');
  const bytes = Buffer.from(seed);
  try {
    nkeys.fromSeed(bytes);
  } catch (cause) {
    throw new Error('expected the nkey seed of a user, got one whose checksum is wrong', { cause });
  }
  return bytes;
}

/** Credentials as nsc writes them: two blocks, the user's JWT and the seed. */
function credentialsOf(text: string): Authenticator {
  const blocks = text.replaceAll('\r', '');
  seedOf(blocks);
  const authenticate = credsAuthenticator(Buffer.from(blocks));
  try {
    authenticate('');
  } catch (cause) {
    throw new Error("expected a user's JWT and seed, as nsc writes them", { cause });
  }
  return authenticate;
}
