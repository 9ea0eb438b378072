import { readEvent } from './decode-cloudevents.ts';
import { isObject, parseJson, readList, typeName, type Decode, type DecodeContext } from './decode.ts';
import { KnownAlerts } from './known-alerts.ts';
import { readReport, type ReportOutcome } from './report.ts';

/**
 * `POST /api/v2/alerts` of Alertmanager's API v2: an array of `postableAlert`. Valid alerts are kept where others are not; the same
 * alert twice is kept twice, in order. Source: prometheus/alertmanager api/v2/openapi.yaml.
 */
export const decodeAlertmanager: Decode = (body, context) =>
  knownOfAlertmanager.read(body, context) ?? decodeWholeList(body, context);

const knownOfAlertmanager = new KnownAlerts(
  (item, index, context) => ({
    report: readReport(item, `alerts[${index}]`, 'alertmanager', context),
    isRepeatable: true,
  }),
  { mayStandAlone: false },
);

const decodeWholeList: Decode = (body, context) => {
  const json = parseJson(body);
  if (!json.ok) return { alerts: [], errors: [json.error] };
  // In Go a null is an empty list.
  if (json.value === null) return { alerts: [], errors: [] };
  if (!Array.isArray(json.value))
    return { alerts: [], errors: [`body: expected an array of alerts, got ${typeName(json.value)}`] };
  return readList(json.value, 'alerts', (item, path) => readReport(item, path, 'alertmanager', context));
};

/**
 * One alert, or an array of alerts, in the same shape: what is published to a NATS subject. CloudEvents in structured mode are taken
 * too, as they come from publishers without headers.
 */
export const decodeJson: Decode = (body, context) =>
  knownOfJson.read(body, context) ?? decodeWholeJson(body, context);

const knownOfJson = new KnownAlerts(
  (item, index, context) => ({ report: readJson(item, index, context), isRepeatable: !isEvent(item) }),
  { mayStandAlone: true },
);

const decodeWholeJson: Decode = (body, context) => {
  const json = parseJson(body);
  if (!json.ok) return { alerts: [], errors: [json.error] };
  if (Array.isArray(json.value))
    return readList(json.value, 'alerts', (item, _path, index) => readJson(item, index, context));
  const outcome = readJson(json.value, null, context);
  return outcome.ok ? { alerts: [outcome.alert], errors: [] } : { alerts: [], errors: [outcome.error] };
};

/** An item of a list by its index, or (null) all that there is. */
function readJson(item: unknown, index: number | null, context: DecodeContext): ReportOutcome {
  if (!isEvent(item)) return readReport(item, index === null ? 'alert' : `alerts[${index}]`, 'json', context);
  return readEvent(item, index === null ? 'event' : `alerts[${index}]`, context);
}

function isEvent(item: unknown): boolean {
  return isObject(item) && 'specversion' in item && !('labels' in item);
}
