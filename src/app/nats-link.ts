import { openNats, type NatsPort } from '../source/index.ts';
import type { Closing } from './closing.ts';
import type { TocsinConfig } from './config-schema.ts';
import type { Logger } from './logger.ts';
import type { Telemetry } from './telemetry.ts';

/** Connects to the NATS servers of section `nats`, if there is one; reports are taken from there once it is told to listen. */
export function openNatsLink(
  { nats: config }: Pick<TocsinConfig, 'nats'>,
  take: Parameters<typeof openNats>[1],
  {
    closing,
    telemetry,
    logger,
  }: { readonly closing: Closing; readonly telemetry: Telemetry; readonly logger: Logger },
): NatsPort | null {
  if (!config) return null;
  const nats = openNats(config, take, {
    onTrouble: ({ code, message }) =>
      logger.warn({ code }, `${message}; everything else goes on, and it is tried again.`),
    onConnected: () => logger.info('A NATS server answers.'),
  });
  closing.defer(() => nats.close());
  telemetry.gauge('tocsin_nats_connected', '1 while a NATS server answers.', () =>
    nats.isConnected ? 1 : 0,
  );
  return nats;
}
