import type { Labels } from './labels.ts';

/** One report that a condition fires or has resolved. Times are milliseconds since the Unix epoch. */
export interface Alert {
  /** Exact identity: `fingerprint(labels)`, 16 hex digits. */
  readonly fingerprint: string;
  /** The unit of correlation (a tenant, or a tenant's environment): nothing is ever joined across domains. */
  readonly domain: string;
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly startsAtMs: number;
  /** Always set. The alert is resolved from this moment on. */
  readonly endsAtMs: number;
  /** `endsAtMs` was not given by the sender but is the time of receipt plus `resolve_timeout`. */
  readonly endsByTimeout: boolean;
  readonly receivedAtMs: number;
  /** Where the condition is defined, as the sender gave it; empty when it gave none. */
  readonly generatorUrl: string;
  /** The name of the source that decoded it, such as `alertmanager`, `webhook`, `file` or `nats`. */
  readonly source: string;
  /** By what its sender recognizes it (PagerDuty's `dedup_key`, Opsgenie's `alias`); absent where the sender gave nothing. Never empty. */
  readonly key?: string;
}

export function isResolvedAt(alert: Pick<Alert, 'endsAtMs'>, timeMs: number): boolean {
  return alert.endsAtMs <= timeMs;
}
