import type { DecodeContext } from './decode.ts';
import { clip, isObject } from './decode.ts';
import {
  createAlert,
  readFields,
  type AlertTimes,
  type FieldsOutcome,
  type ReportFields,
  type ReportOutcome,
} from './report.ts';

/**
 * How long an alert of a notification counts as firing when no other notification speaks of it. Notifications are told once and then
 * every few hours (`repeat_interval`, 4 hours by default), so that `resolve_timeout` would end them while they still fire.
 */
const unrepeatedTimeoutMs = 86_400_000;

/**
 * Reads one alert of a notification: Alertmanager's fields and a `status` of its own, `firing` or `resolved`, which decides. `rewrite`
 * may change the fields first.
 */
export function readNotified(
  item: unknown,
  path: string,
  source: string,
  context: DecodeContext,
  rewrite: (fields: ReportFields) => ReportFields = (fields) => fields,
): ReportOutcome {
  const outcome: FieldsOutcome = readFields(item, path);
  if (!outcome.ok) return outcome;
  const status = isObject(item) ? item['status'] : undefined;
  if (status !== 'firing' && status !== 'resolved') {
    const got = status === undefined ? 'nothing' : JSON.stringify(clip(status));
    return { ok: false, error: `${path}.status: expected "firing" or "resolved", got ${got}` };
  }
  const fields = rewrite(outcome.fields);
  const times = status === 'firing' ? firingTimes(fields, context) : resolvedTimes(fields, context);
  if (times.startsAtMs > times.endsAtMs)
    return { ok: false, error: `${path}.startsAt: start time must be before end time` };
  return { ok: true, alert: createAlert(fields, times, source, context) };
}

/** A firing alert's `endsAt` says nothing that can be relied upon: its sender will tell when it has resolved. */
function firingTimes({ startsAtMs }: ReportFields, { nowMs }: DecodeContext): AlertTimes {
  return { startsAtMs: startsAtMs ?? nowMs, endsAtMs: nowMs + unrepeatedTimeoutMs, endsByTimeout: true };
}

/** Resolved is resolved, also where the sender's clock is ahead of ours. */
function resolvedTimes({ startsAtMs, endsAtMs }: ReportFields, { nowMs }: DecodeContext): AlertTimes {
  const end = Math.min(endsAtMs ?? nowMs, nowMs);
  return { startsAtMs: Math.min(startsAtMs ?? end, end), endsAtMs: end, endsByTimeout: false };
}
