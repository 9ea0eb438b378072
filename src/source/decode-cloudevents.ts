import { clip, isObject, parseJson, readList, typeName, type Decode, type DecodeContext } from './decode.ts';
import { readNotified } from './notification.ts';
import { readReport, readTime, type ReportOutcome } from './report.ts';

/**
 * CloudEvents 1.0 in structured mode: one event, or a batch. `data` is an alert in Alertmanager's shape, with a `status` (`firing` or
 * `resolved`) where the sender does not repeat what fires. The event's `time` stands for a time that `data` lacks.
 * Source: cloudevents/spec formats/json-format.md.
 */
export const decodeCloudEvents: Decode = (body, context) => {
  const json = parseJson(body);
  if (!json.ok) return { alerts: [], errors: [json.error] };
  if (Array.isArray(json.value))
    return readList(json.value, 'events', (event, path) => readEvent(event, path, context));
  const outcome = readEvent(json.value, 'event', context);
  return outcome.ok ? { alerts: [outcome.alert], errors: [] } : { alerts: [], errors: [outcome.error] };
};

/** Reads one event in the JSON format. */
export function readEvent(event: unknown, path: string, context: DecodeContext): ReportOutcome {
  if (!isObject(event)) return { ok: false, error: `${path}: expected an object, got ${typeName(event)}` };
  if (event['specversion'] !== '1.0')
    return { ok: false, error: `${path}.specversion: expected "1.0", got ${clip(event['specversion'])}` };
  for (const name of ['id', 'source', 'type']) {
    const value = event[name];
    if (typeof value !== 'string' || value === '')
      return { ok: false, error: `${path}.${name}: expected a text, got ${clip(value)}` };
  }
  const time = readTime(event['time'], `${path}.time`);
  if (!time.ok) return time;
  const { data } = event;
  if (!isObject(data))
    return { ok: false, error: `${path}.data: expected an alert as a JSON object, got ${typeName(data)}` };
  const timed = time.timeMs === null ? data : withTime(data, event['time']);
  return 'status' in data
    ? readNotified(timed, `${path}.data`, 'cloudevents', context)
    : readReport(timed, `${path}.data`, 'cloudevents', context);
}

function withTime(data: Readonly<Record<string, unknown>>, time: unknown): Readonly<Record<string, unknown>> {
  if (data['status'] === 'resolved') return { ...data, endsAt: data['endsAt'] ?? time };
  return { ...data, startsAt: data['startsAt'] ?? time };
}
