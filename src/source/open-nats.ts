import type { NatsConfig } from './config.ts';
import type { NatsLink, TakeMessage } from './nats.ts';

/** Connects as `NatsLink.open` does. The client is loaded only where a server is configured: it costs a tenth of the start. */
export async function openNats(config: NatsConfig, take: TakeMessage): Promise<NatsLink> {
  const { NatsLink } = await import('./nats.ts');
  return NatsLink.open(config, take);
}
