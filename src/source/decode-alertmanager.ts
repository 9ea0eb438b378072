import { parseJson, readList, typeName, type Decode } from './decode.ts';
import { readReport } from './report.ts';

/**
 * `POST /api/v2/alerts` of Alertmanager's API v2: an array of `postableAlert`. Valid alerts are kept where others are not; the same
 * alert twice is kept twice, in order. Source: prometheus/alertmanager api/v2/openapi.yaml.
 */
export const decodeAlertmanager: Decode = (body, context) => {
  const json = parseJson(body);
  if (!json.ok) return { alerts: [], errors: [json.error] };
  // In Go a null is an empty list.
  if (json.value === null) return { alerts: [], errors: [] };
  if (!Array.isArray(json.value))
    return { alerts: [], errors: [`body: expected an array of alerts, got ${typeName(json.value)}`] };
  return readList(json.value, 'alerts', (item, path) => readReport(item, path, 'alertmanager', context));
};

/** One alert, or an array of alerts, in the same shape: what is published to a NATS subject. */
export const decodeJson: Decode = (body, context) => {
  const json = parseJson(body);
  if (!json.ok) return { alerts: [], errors: [json.error] };
  if (Array.isArray(json.value))
    return readList(json.value, 'alerts', (item, path) => readReport(item, path, 'json', context));
  const outcome = readReport(json.value, 'alert', 'json', context);
  return outcome.ok ? { alerts: [outcome.alert], errors: [] } : { alerts: [], errors: [outcome.error] };
};
