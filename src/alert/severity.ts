/** Severities from the least to the most urgent. */
export const severities = ['info', 'warning', 'error', 'critical'] as const;

export type Severity = (typeof severities)[number] | 'unknown';

const synonyms: Readonly<Record<string, Severity>> = {
  debug: 'info',
  info: 'info',
  informational: 'info',
  notice: 'info',
  low: 'info',
  none: 'info',
  ok: 'info',
  warn: 'warning',
  warning: 'warning',
  minor: 'warning',
  medium: 'warning',
  average: 'warning',
  error: 'error',
  err: 'error',
  major: 'error',
  high: 'error',
  critical: 'critical',
  crit: 'critical',
  fatal: 'critical',
  emergency: 'critical',
  alert: 'critical',
  disaster: 'critical',
  page: 'critical',
  blocker: 'critical',
  p1: 'critical',
  p2: 'error',
  p3: 'warning',
  p4: 'info',
  p5: 'info',
  sev1: 'critical',
  sev2: 'error',
  sev3: 'warning',
  sev4: 'info',
  sev5: 'info',
};

/** Reads a severity as senders write it (any case; Prometheus, PagerDuty, Zabbix, Nagios, syslog words). */
export function parseSeverity(text: string): Severity {
  const key = text.trim().toLowerCase();
  return Object.hasOwn(synonyms, key) ? (synonyms[key] ?? 'unknown') : 'unknown';
}

/** 1 for `info` to 4 for `critical`; 0 for `unknown`. */
export function severityRank(severity: Severity): number {
  return severity === 'unknown' ? 0 : severities.indexOf(severity) + 1;
}

export function maxSeverity(a: Severity, b: Severity): Severity {
  return severityRank(a) >= severityRank(b) ? a : b;
}
