import { formatDuration, matcherToString, type MatcherText } from '../alert/index.ts';
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
  const { inhibit_rules, ...sections } = shownConfig(config);
  const rules = inhibit_rules.map(({ source, target, equal }) => ({
    source_matchers: source,
    target_matchers: target,
    equal,
  }));
  return written({ ...sections, inhibit_rules: rules });
}

/** Keys whose values, or all values in them, are durations, wherever they stand. */
const durationKeys = new Set([
  'bucket',
  'calm_for',
  'cascade_scale',
  'checkpoint_interval',
  'command_timeout',
  'connect_timeout',
  'expire',
  'flush_interval',
  'forget_after',
  'group_interval',
  'group_wait',
  'known_domain_after',
  'lease',
  'log_retention',
  'longest',
  'max_age',
  'max_hold',
  'max_idle',
  'quiet',
  'recall_timeout',
  'reopen_window',
  'repeat_interval',
  'request_timeout',
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

function written(value: unknown, isDuration = false): unknown {
  if (typeof value === 'number') return isDuration ? formatDuration(value) : value;
  if (Array.isArray(value)) return value.map((part) => written(part));
  if (typeof value !== 'object' || value === null) return value;
  if (isMatcher(value)) return matcherToString(value);
  return Object.fromEntries(
    Object.entries(value).map(([key, part]: [string, unknown]) => [
      key,
      written(part, isDuration || durationKeys.has(key)),
    ]),
  );
}

function isMatcher(value: object): value is MatcherText {
  return 'isRegex' in value && 'isEqual' in value;
}
