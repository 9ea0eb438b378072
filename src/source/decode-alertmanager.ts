import type { Alert } from '../alert/index.ts';
import { parseJson, typeName, type Decode, type DecodeContext, type DecodeResult } from './decode.ts';
import { readReport } from './report.ts';

/**
 * `POST /api/v2/alerts` of Alertmanager's API v2: an array of `postableAlert`. Valid alerts are kept where others are not.
 * Source: prometheus/alertmanager api/v2/openapi.yaml.
 */
export const decodeAlertmanager: Decode = (body, context) => {
  const json = parseJson(body);
  if (!json.ok) return { alerts: [], errors: [json.error] };
  if (!Array.isArray(json.value)) {
    return { alerts: [], errors: [`body: expected an array of alerts, got ${typeName(json.value)}`] };
  }
  return readReports(json.value, 'alertmanager', context);
};

/** One alert, or an array of alerts, in the same shape: what is published to a NATS subject. */
export const decodeJson: Decode = (body, context) => {
  const json = parseJson(body);
  if (!json.ok) return { alerts: [], errors: [json.error] };
  if (Array.isArray(json.value)) return readReports(json.value, 'json', context);
  const outcome = readReport(json.value, 'alert', 'json', context);
  return outcome.ok ? { alerts: [outcome.alert], errors: [] } : { alerts: [], errors: [outcome.error] };
};

function readReports(reports: readonly unknown[], source: string, context: DecodeContext): DecodeResult {
  const alerts: Alert[] = [];
  const errors: string[] = [];
  for (let index = 0; index < reports.length; index++) {
    const outcome = readReport(reports[index], `alerts[${index}]`, source, context);
    if (outcome.ok) alerts.push(outcome.alert);
    else errors.push(outcome.error);
  }
  return { alerts, errors };
}
