import { isDeepStrictEqual } from 'node:util';
import type { TocsinConfig } from './config-schema.ts';

/** Names of the settings that have changed and that a reload does not touch. */
export function changedUntilRestart(before: TocsinConfig, after: TocsinConfig): string[] {
  const read = (config: TocsinConfig): Readonly<Record<string, unknown>> => ({
    'score.workers': config.score.workers,
    'source.max_body_bytes': config.source.max_body_bytes,
    cluster: config.cluster,
    fleet: config.fleet,
    history: config.history,
    nats: config.nats,
    server: config.server,
    storage: config.storage,
  });
  const [old, now] = [read(before), read(after)];
  return Object.keys(now).filter((name) => !isDeepStrictEqual(old[name], now[name]));
}
