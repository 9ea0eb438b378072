import { connect, type NatsConnection } from '@nats-io/transport-node';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A server that somebody else has started, named by a URL with user and password. */
export interface GivenServer {
  /** The URL without them. */
  readonly url: string;
  readonly user: string | undefined;
  readonly password: string;
  /** Holds the password, as configurations want it; gone after `forget`. */
  readonly passwordFile: string;
  forget(): void;
}

export function givenServer(text: string): GivenServer {
  const address = new URL(text);
  const [user, password] = [address.username, address.password].map(decodeURIComponent) as [string, string];
  const folder = mkdtempSync(join(tmpdir(), 'tocsin-compose-'));
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, password, { mode: 0o600 });
  return {
    url: `${address.protocol}//${address.host}`,
    user: user === '' ? undefined : user,
    password,
    passwordFile,
    forget: () => rmSync(folder, { recursive: true }),
  };
}

/** Connects as who publishes, and as who looks after the servers. */
export async function connectToGiven({ url, user, password }: GivenServer): Promise<NatsConnection> {
  return connect({ servers: url, ...(user === undefined ? {} : { user, pass: password }) });
}
