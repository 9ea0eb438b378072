import { fingerprint, labelValue } from '../alert/index.ts';
import type { Signal } from '../incident/index.ts';
import type { ScoreConfig } from './config.ts';

/** What a baseline is kept for. `id` is 16 hex digits, whatever the length of the names. */
export interface KindName {
  readonly id: string;
  readonly domain: string;
  /** An alertname, or the template of alerts that have none. */
  readonly kind: string;
  /** Empty when the alerts name none. */
  readonly service: string;
}

/** The kind that `signal` is of. */
export function nameKind(
  signal: Pick<Signal, 'domain' | 'labels' | 'template'>,
  config: Pick<ScoreConfig, 'kind' | 'service_label'>,
): KindName {
  const alertname = config.kind === 'alertname' ? labelValue(signal.labels, 'alertname') : '';
  const kind = alertname === '' ? signal.template : alertname;
  const service = labelValue(signal.labels, config.service_label);
  const id = fingerprint(['domain', signal.domain, 'kind', kind, 'service', service]);
  return { id, domain: signal.domain, kind, service };
}
