import { fingerprint, labelValue, withLabel, type Alert, type Labels } from '../alert/index.ts';
import { clip, isObject, typeName, type DecodeContext } from './decode.ts';
import { readKey } from './key.ts';
import { readLabels } from './labels.ts';
import { parseTime } from './time.ts';

export type ReportOutcome =
  | { readonly ok: true; readonly alert: Alert }
  | { readonly ok: false; readonly error: string };

/** What a report says, before anything is filled in. Times are null where it says nothing. */
export interface ReportFields {
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly startsAtMs: number | null;
  readonly endsAtMs: number | null;
  readonly generatorUrl: string;
  /** The sender's own key; empty where it gave none. */
  readonly key: string;
}

export type FieldsOutcome =
  | { readonly ok: true; readonly fields: ReportFields }
  | { readonly ok: false; readonly error: string };

/**
 * Reads one alert in the shape of Alertmanager's `postableAlert`: `labels` (at least one), `annotations`, `startsAt`, `endsAt`,
 * `generatorURL`, and a key of the sender's (see `readKey`). Missing times are filled as Alertmanager does: `startsAt` is now, or `endsAt` where that is earlier; `endsAt`
 * is now plus `resolve_timeout`. Unlike there, an alert that says only when it will end started now, not then. `path` names it in
 * errors, such as `alerts[3]`.
 */
export function readReport(
  value: unknown,
  path: string,
  source: string,
  context: DecodeContext,
): ReportOutcome {
  // Alertmanager's own API knows no keys, and passes over what it does not know.
  const outcome = readFields(value, path, source !== 'alertmanager');
  if (!outcome.ok) return outcome;
  const { fields } = outcome;
  const times = fillTimes(fields.startsAtMs, fields.endsAtMs, context);
  if (!times) return { ok: false, error: `${path}.startsAt: start time must be before end time` };
  return { ok: true, alert: createAlert(fields, times, source, context) };
}

/** Fills missing times (null) as `readReport` says; null when the alert would start after its end. */
export function fillTimes(
  startsAt: number | null,
  endsAt: number | null,
  { nowMs, resolveTimeoutMs }: Pick<DecodeContext, 'nowMs' | 'resolveTimeoutMs'>,
): AlertTimes | null {
  const startsAtMs = startsAt ?? Math.min(nowMs, endsAt ?? nowMs);
  const endsAtMs = endsAt ?? nowMs + resolveTimeoutMs;
  return startsAtMs > endsAtMs ? null : { startsAtMs, endsAtMs, endsByTimeout: endsAt === null };
}

/** Reads the fields of an alert as Alertmanager and its kin write them. Unknown ones are passed over, keys too unless `hasKey`. */
export function readFields(value: unknown, path: string, hasKey = true): FieldsOutcome {
  if (!isObject(value)) return { ok: false, error: `${path}: expected an object, got ${typeName(value)}` };
  const labels = readLabels(value['labels'], `${path}.labels`);
  if (!labels.ok) return labels;
  if (labels.labels.length === 0)
    return { ok: false, error: `${path}.labels: at least one label pair required` };
  const annotations = readLabels(value['annotations'] ?? noAnnotations, `${path}.annotations`);
  if (!annotations.ok) return annotations;
  const startsAt = readTime(value['startsAt'], `${path}.startsAt`);
  if (!startsAt.ok) return startsAt;
  const endsAt = readTime(value['endsAt'], `${path}.endsAt`);
  if (!endsAt.ok) return endsAt;
  const generatorUrl = value['generatorURL'] ?? '';
  if (typeof generatorUrl !== 'string') {
    return { ok: false, error: `${path}.generatorURL: expected a string, got ${typeName(generatorUrl)}` };
  }
  const key = hasKey ? readKey(value, path) : noKey;
  if (!key.ok) return key;
  return {
    ok: true,
    fields: {
      labels: labels.labels,
      annotations: annotations.labels,
      startsAtMs: startsAt.timeMs,
      endsAtMs: endsAt.timeMs,
      generatorUrl: generatorUrl.toWellFormed(),
      key: key.key,
    },
  };
}

const noAnnotations = Object.freeze({});
const noKey = { ok: true, key: '' } as const;

export type AlertTimes = Pick<Alert, 'startsAtMs' | 'endsAtMs' | 'endsByTimeout'>;

/**
 * Gives an alert its domain and its fingerprint. An alert that came in for another domain than `default`, and does not say so
 * itself, gets the domain as a label: two domains never share a fingerprint.
 */
export function createAlert(
  {
    labels,
    annotations,
    generatorUrl,
    key = '',
  }: Pick<ReportFields, 'labels' | 'annotations' | 'generatorUrl'> & Partial<Pick<ReportFields, 'key'>>,
  { startsAtMs, endsAtMs, endsByTimeout }: AlertTimes,
  source: string,
  { domainLabel, defaultDomain, nowMs }: DecodeContext,
): Alert {
  let domain = labelValue(labels, domainLabel);
  let ownLabels = labels;
  if (domain === '') {
    domain = defaultDomain;
    if (domain !== 'default') ownLabels = withLabel(labels, domainLabel, domain);
  }
  return {
    fingerprint: fingerprint(ownLabels),
    domain,
    labels: ownLabels,
    annotations,
    startsAtMs,
    endsAtMs,
    endsByTimeout,
    receivedAtMs: nowMs,
    generatorUrl,
    source,
    ...(key === '' ? {} : { key }),
  };
}

/** Reads an optional time; null when it is absent, null, empty or Go's zero time. */
export function readTime(
  value: unknown,
  path: string,
): { readonly ok: true; readonly timeMs: number | null } | { readonly ok: false; readonly error: string } {
  if (value === undefined || value === null || value === '') return noTime;
  if (typeof value !== 'string')
    return { ok: false, error: `${path}: expected an RFC 3339 time, got ${typeName(value)}` };
  const timeMs = parseTime(value);
  if (Number.isNaN(timeMs)) {
    return { ok: false, error: `${path}: expected an RFC 3339 time, got ${JSON.stringify(clip(value))}` };
  }
  return { ok: true, timeMs };
}

const noTime = { ok: true, timeMs: null } as const;
