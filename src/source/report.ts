import { fingerprint, labelValue, withLabel, type Alert, type Labels } from '../alert/index.ts';
import { isObject, typeName, type DecodeContext } from './decode.ts';
import { readLabels } from './labels.ts';
import { parseTime } from './time.ts';

export type ReportOutcome =
  | { readonly ok: true; readonly alert: Alert }
  | { readonly ok: false; readonly error: string };

/**
 * Reads one alert in the shape of Alertmanager's `postableAlert`: `labels` (at least one), `annotations`, `startsAt`, `endsAt`,
 * `generatorURL`. Missing times are filled as Alertmanager does: `startsAt` is now, or `endsAt` where that is earlier; `endsAt`
 * is now plus `resolve_timeout`. `path` names it in errors, such as `alerts[3]`.
 */
export function readReport(
  value: unknown,
  path: string,
  source: string,
  context: DecodeContext,
): ReportOutcome {
  if (!isObject(value)) return { ok: false, error: `${path}: expected an object, got ${typeName(value)}` };
  const labels = readLabels(value['labels'], `${path}.labels`);
  if (!labels.ok) return labels;
  if (labels.labels.length === 0)
    return { ok: false, error: `${path}.labels: expected at least one label with a value` };
  const annotations = readLabels(value['annotations'] ?? {}, `${path}.annotations`);
  if (!annotations.ok) return annotations;
  const startsAt = readTime(value['startsAt'], `${path}.startsAt`);
  if (!startsAt.ok) return startsAt;
  const endsAt = readTime(value['endsAt'], `${path}.endsAt`);
  if (!endsAt.ok) return endsAt;
  const generatorUrl = value['generatorURL'] ?? '';
  if (typeof generatorUrl !== 'string') {
    return { ok: false, error: `${path}.generatorURL: expected a string, got ${typeName(generatorUrl)}` };
  }
  const { nowMs } = context;
  const startsAtMs = startsAt.timeMs ?? Math.min(nowMs, endsAt.timeMs ?? nowMs);
  const endsAtMs = endsAt.timeMs ?? nowMs + context.resolveTimeoutMs;
  if (startsAtMs > endsAtMs) return { ok: false, error: `${path}.startsAt: must not be after endsAt` };
  return {
    ok: true,
    alert: createAlert({
      labels: labels.labels,
      annotations: annotations.labels,
      startsAtMs,
      endsAtMs,
      endsByTimeout: endsAt.timeMs === null,
      generatorUrl: generatorUrl.toWellFormed(),
      source,
      context,
    }),
  };
}

export interface AlertParts {
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly startsAtMs: number;
  readonly endsAtMs: number;
  readonly endsByTimeout: boolean;
  readonly generatorUrl: string;
  readonly source: string;
  readonly context: DecodeContext;
}

/**
 * Gives an alert its domain and its fingerprint. An alert that came in for another domain than the default one, and does not say
 * so itself, gets the domain as a label: two domains never share a fingerprint.
 */
export function createAlert({ context, ...parts }: AlertParts): Alert {
  const { domainLabel, defaultDomain, nowMs } = context;
  let labels = parts.labels;
  let domain = labelValue(labels, domainLabel);
  if (domain === '') {
    domain = defaultDomain;
    if (domain !== 'default') labels = withLabel(labels, domainLabel, domain);
  }
  return {
    fingerprint: fingerprint(labels),
    domain,
    labels,
    annotations: parts.annotations,
    startsAtMs: parts.startsAtMs,
    endsAtMs: parts.endsAtMs,
    endsByTimeout: parts.endsByTimeout,
    receivedAtMs: nowMs,
    generatorUrl: parts.generatorUrl,
    source: parts.source,
  };
}

/** Reads an optional time; null when it is absent, null, empty or Go's zero time. */
export function readTime(
  value: unknown,
  path: string,
): { readonly ok: true; readonly timeMs: number | null } | { readonly ok: false; readonly error: string } {
  if (value === undefined || value === null || value === '') return { ok: true, timeMs: null };
  if (typeof value !== 'string')
    return { ok: false, error: `${path}: expected an RFC 3339 time, got ${typeName(value)}` };
  const timeMs = parseTime(value);
  if (timeMs !== null && Number.isNaN(timeMs)) {
    return {
      ok: false,
      error: `${path}: expected an RFC 3339 time, got ${JSON.stringify(value.slice(0, 60))}`,
    };
  }
  return { ok: true, timeMs };
}
