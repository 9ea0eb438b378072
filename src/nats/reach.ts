import type { NatsConnection } from '@nats-io/transport-node';

/** Whether a server answers at this moment; while none does, the client connects again by itself. */
export interface Reach {
  readonly isConnected: boolean;
}

/** Watches a connection until it is closed. */
export function watchConnection(connection: NatsConnection): Reach {
  let isConnected = true;
  const watch = async (): Promise<void> => {
    for await (const { type } of connection.status()) {
      if (type === 'disconnect') isConnected = false;
      if (type === 'reconnect') isConnected = true;
    }
  };
  void watch();
  return {
    get isConnected() {
      return isConnected && !connection.isClosed();
    },
  };
}
