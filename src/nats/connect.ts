import { setImmediate as nextTurn } from 'node:timers/promises';
import type { NatsConnection } from '@nats-io/transport-node';
import type { NatsConnectionConfig } from './config.ts';

/**
 * Connects to the first server that answers, and reconnects for ever afterwards; whoever asked closes the connection. `name` is what
 * the server's operators see of it. Secrets and certificates are read now and again whenever the client reconnects, so that those that
 * are renewed are taken up. Rejects with TOC_CONFIG_UNREADABLE or TOC_CONFIG_INVALID when a file cannot be read or does not hold what
 * it should, and with TOC_NATS_UNAVAILABLE when no server answers or takes the credentials.
 *
 * The client is loaded only where it is used: it costs a tenth of the start.
 */
export async function connectNats(config: NatsConnectionConfig, name: string): Promise<NatsConnection> {
  const { openConnection } = await import('./client.ts');
  return openConnection(config, name);
}

/**
 * Closes the connection. What the client has written to a server that went away meanwhile fails one turn later, and nobody hears of that
 * once it is closed: the process would end of it.
 */
export async function closeNats(connection: NatsConnection): Promise<void> {
  await nextTurn();
  await connection.close();
}
