import { globalsWithoutSecrets, withoutSecrets } from '../notify/index.ts';
import type { TocsinConfig } from './config-schema.ts';

/** The configuration without its secrets: what may be shown, logged and kept. */
export function shownConfig(config: TocsinConfig): TocsinConfig {
  return {
    ...config,
    global: globalsWithoutSecrets(config.global),
    receivers: withoutSecrets(config.receivers),
  };
}
