import { formatDuration } from '../alert/index.ts';
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

/** As it may be written in a file: who reads that gets the same configuration, but for secrets. */
export function readableConfig(config: TocsinConfig): unknown {
  return withDurations(shownConfig(config));
}

/** Keys whose values are durations, wherever they stand. */
const durationKeys = new Set([
  'bucket',
  'cascade_scale',
  'checkpoint_interval',
  'expire',
  'flush_interval',
  'forget_after',
  'group_interval',
  'group_wait',
  'known_domain_after',
  'log_retention',
  'max_idle',
  'quiet',
  'recall_timeout',
  'reopen_window',
  'repeat_interval',
  'resolve_timeout',
  'resolved_retention',
  'retention',
  'retry',
  'silence_retention',
  'time_scale',
  'timeout',
  'ttl',
  'window',
]);

function withDurations(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withDurations);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, part]: [string, unknown]) => [
      key,
      typeof part === 'number' && durationKeys.has(key) ? formatDuration(part) : withDurations(part),
    ]),
  );
}
