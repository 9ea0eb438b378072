import { setTimeout as sleep } from 'node:timers/promises';
import pRetry from 'p-retry';
import { TocsinError } from '../engine/index.ts';
import type { NatsConfig } from './config.ts';
import type { NatsLink } from './nats.ts';
import type { TakeMessage } from './nats-message.ts';

/** NATS as the application uses it, whether a server answers or not. */
export interface NatsPort {
  readonly isConnected: boolean;
  /** Publishes and waits until the server has it. Rejects with TOC_NATS_UNAVAILABLE. */
  publish(subject: string, body: Uint8Array, headers: Readonly<Record<string, string>>): Promise<void>;
  /** Takes reports in from now on, as soon as a server answers. */
  listen(): void;
  close(): Promise<void>;
}

export interface NatsEvents {
  /** Called after each attempt that failed, before the next, and with what the server refuses while the connection stands. */
  readonly onTrouble: (error: TocsinError) => void;
  /** Called whenever reports are taken in from now on. */
  readonly onConnected: () => void;
}

const firstWaitMs = 500;
const longestWaitMs = 15_000;

/**
 * Connects in the background, for as long as it takes, and anew when messages no longer come: a NATS server that is down must not keep
 * alerts out that come by other ways. The client is loaded only where a server is configured: it costs a tenth of the start.
 */
export function openNats(config: NatsConfig, take: TakeMessage, events: NatsEvents): NatsPort {
  const stop = new AbortController();
  const { signal } = stop;
  const stopped = new Promise<null>((resolve) =>
    signal.addEventListener('abort', () => resolve(null), { once: true }),
  );
  const mayListen = Promise.withResolvers<void>();
  let link: NatsLink | null = null;

  const connect = async (): Promise<NatsLink> => {
    const { NatsLink } = await import('./nats.ts');
    const opened = await NatsLink.open(config, take, events.onTrouble);
    link = opened;
    try {
      await mayListen.promise;
      if (!signal.aborted) await opened.listen();
      return opened;
    } catch (error) {
      link = null;
      await opened.close();
      throw error;
    }
  };

  const stayConnected = async (): Promise<void> => {
    while (!signal.aborted) {
      const opened = await pRetry(connect, {
        retries: Infinity,
        minTimeout: firstWaitMs,
        maxTimeout: longestWaitMs,
        randomize: true,
        signal,
        onFailedAttempt: ({ error }) => {
          if (!signal.aborted) events.onTrouble(asTocsinError(error));
        },
      });
      events.onConnected();
      const error = await Promise.race([opened.lost, stopped]);
      if (error === null) return;
      events.onTrouble(error);
      link = null;
      await opened.close();
      await sleep(firstWaitMs, undefined, { signal });
    }
  };

  const running = stayConnected().catch((error: unknown) => {
    if (!signal.aborted) events.onTrouble(asTocsinError(error));
  });

  return {
    get isConnected() {
      return link !== null && link.isConnected;
    },
    async publish(subject, body, headers) {
      if (!link) throw new TocsinError('TOC_NATS_UNAVAILABLE', 'no NATS server has answered yet');
      await link.publish(subject, body, headers);
    },
    listen: () => mayListen.resolve(),
    async close() {
      stop.abort();
      mayListen.resolve();
      await running;
      await link?.close();
    },
  };
}

function asTocsinError(error: unknown): TocsinError {
  return error instanceof TocsinError
    ? error
    : new TocsinError('TOC_NATS_UNAVAILABLE', 'the NATS client failed unexpectedly', { cause: error });
}
