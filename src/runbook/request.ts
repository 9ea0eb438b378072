import { labelValue, type Labels } from '../alert/index.ts';
import type { RunbookRequest } from '../incident/index.ts';
import type { HttpStepConfig } from './config.ts';
import {
  asIs,
  encodeForJson,
  encodeForUrl,
  fillTemplate,
  type Encode,
  type TemplateValue,
} from './template.ts';

/** What the places of a runbook's templates stand for: the incident that it is run for. */
export interface RunSubject {
  readonly incidentId: string;
  /** The service that is to blame, else the first one affected; empty when none is known. */
  readonly service: string;
  /** Labels of the most probable cause, else of the first signal. */
  readonly labels: Labels;
}

export type RequestOutcome =
  | { readonly ok: true; readonly request: RunbookRequest }
  | { readonly ok: false; readonly error: string };

/** Writes out what an HTTP step sends. A place without a value is an error outcome. */
export function renderRequest(step: HttpStepConfig, subject: RunSubject): RequestOutcome {
  const value = valueOf(subject);
  const url = fillTemplate(step.url, value, encodeForUrl);
  if (!url.ok) return { ok: false, error: `step ${JSON.stringify(step.name)}: url: ${url.error}` };
  const headers = withContentType(step);
  const body = fillTemplate(step.body, value, encodeFor(headers));
  if (!body.ok) return { ok: false, error: `step ${JSON.stringify(step.name)}: body: ${body.error}` };
  return { ok: true, request: { method: step.method, url: url.text, headers, body: body.text } };
}

function valueOf({ incidentId, service, labels }: RunSubject): TemplateValue {
  return (name) => {
    if (name === 'incident.id') return incidentId;
    if (name === 'incident.service') return service;
    return name.startsWith('labels.') ? labelValue(labels, name.slice('labels.'.length)) : undefined;
  };
}

function withContentType({ headers, body }: HttpStepConfig): Readonly<Record<string, string>> {
  if (body === '' || contentType(headers) !== undefined) return headers;
  return { ...headers, 'Content-Type': 'application/json' };
}

function encodeFor(headers: Readonly<Record<string, string>>): Encode {
  const type = contentType(headers) ?? '';
  if (type.startsWith('application/x-www-form-urlencoded')) return encodeForUrl;
  return type.startsWith('text/') ? asIs : encodeForJson;
}

function contentType(headers: Readonly<Record<string, string>>): string | undefined {
  return Object.entries(headers)
    .find(([name]) => name.toLowerCase() === 'content-type')?.[1]
    .toLowerCase();
}
