import { z } from 'zod';
import { durationSchema } from '../alert/index.ts';
import { atMostOne, exactlyOne } from './config-http.ts';
import { fileName, httpUrl, optionalText, overHttp, telling, templated } from './config-text.ts';

const secret = z.string().min(1).optional();

/** What PagerDuty shows with an event, unless the configuration says otherwise. */
const pagerdutyDetails = {
  firing: '{{ template "pagerduty.default.instances" .Alerts.Firing }}',
  resolved: '{{ template "pagerduty.default.instances" .Alerts.Resolved }}',
  num_firing: '{{ .Alerts.Firing | len }}',
  num_resolved: '{{ .Alerts.Resolved | len }}',
};

/** Alertmanager's `pagerduty_config`. `routing_key` stands for version 2 of the events API, `service_key` for version 1. */
export const pagerdutyConfig = z
  .strictObject({
    ...telling(true),
    routing_key: secret,
    routing_key_file: fileName.optional(),
    service_key: secret,
    service_key_file: fileName.optional(),
    url: httpUrl.optional(),
    client: templated.default('{{ template "pagerduty.default.client" . }}'),
    client_url: templated.default('{{ template "pagerduty.default.clientURL" . }}'),
    description: templated.default('{{ template "pagerduty.default.description" .}}'),
    severity: templated.default('error'),
    /** As `client` unless said. */
    source: optionalText,
    details: z
      .record(z.string(), templated)
      .default({})
      .transform((details) => ({ ...pagerdutyDetails, ...details })),
    images: z.array(z.strictObject({ src: optionalText, alt: optionalText, href: optionalText })).default([]),
    links: z.array(z.strictObject({ href: optionalText, text: optionalText })).default([]),
    class: optionalText,
    component: optionalText,
    group: optionalText,
    ...overHttp,
  })
  .refine(...atMostOne('routing_key', 'routing_key_file'))
  .refine(...atMostOne('service_key', 'service_key_file'))
  .refine(
    ({ routing_key, routing_key_file, service_key, service_key_file }) =>
      [routing_key, routing_key_file, service_key, service_key_file].some(Boolean),
    'missing service or routing key in PagerDuty config',
  );

export type PagerdutyConfig = z.output<typeof pagerdutyConfig>;

const responderTypes = new Set(['team', 'teams', 'user', 'escalation', 'schedule']);

const opsgenieResponder = z
  .strictObject({ id: optionalText, name: optionalText, username: optionalText, type: optionalText })
  .refine(
    ({ id, name, username }) => id !== '' || name !== '' || username !== '',
    'a responder needs one of id, username and name',
  )
  .transform((responder) => ({
    ...responder,
    type: responder.type.includes('{{') ? responder.type : responder.type.toLowerCase(),
  }))
  .refine(
    ({ type }) => type.includes('{{') || responderTypes.has(type),
    `a responder's type is one of ${[...responderTypes].join(', ')}`,
  );

/** Alertmanager's `opsgenie_config`. */
export const opsgenieConfig = z
  .strictObject({
    ...telling(true),
    api_key: secret,
    api_key_file: fileName.optional(),
    api_url: httpUrl.optional(),
    message: templated.default('{{ template "opsgenie.default.message" . }}'),
    description: templated.default('{{ template "opsgenie.default.description" . }}'),
    source: templated.default('{{ template "opsgenie.default.source" . }}'),
    details: z.record(z.string(), templated).default({}),
    entity: optionalText,
    responders: z.array(opsgenieResponder).default([]),
    actions: optionalText,
    tags: optionalText,
    note: optionalText,
    priority: optionalText,
    /** Message and description follow the group while the alert is open. */
    update_alerts: z.boolean().default(false),
    ...overHttp,
  })
  .refine(...atMostOne('api_key', 'api_key_file'));

export type OpsgenieConfig = z.output<typeof opsgenieConfig>;

const victoropsReserved = [
  'routing_key',
  'message_type',
  'state_message',
  'entity_display_name',
  'monitoring_tool',
  'entity_id',
  'entity_state',
];

/** Alertmanager's `victorops_config` (now Splunk On-Call). */
export const victoropsConfig = z
  .strictObject({
    ...telling(true),
    api_key: secret,
    api_key_file: fileName.optional(),
    api_url: httpUrl.optional(),
    routing_key: templated.min(1, 'missing Routing key in VictorOps config'),
    message_type: templated.default('CRITICAL'),
    state_message: templated.default('{{ template "victorops.default.state_message" . }}'),
    entity_display_name: templated.default('{{ template "victorops.default.entity_display_name" . }}'),
    monitoring_tool: templated.default('{{ template "victorops.default.monitoring_tool" . }}'),
    custom_fields: z
      .record(z.string(), templated)
      .default({})
      .refine(
        (fields) => victoropsReserved.every((name) => !Object.hasOwn(fields, name)),
        `must not be one of ${victoropsReserved.join(', ')}`,
      ),
    ...overHttp,
  })
  .refine(...atMostOne('api_key', 'api_key_file'));

export type VictoropsConfig = z.output<typeof victoropsConfig>;

/** Alertmanager's `pushover_config`. */
export const pushoverConfig = z
  .strictObject({
    ...telling(true),
    user_key: templated.min(1).optional(),
    user_key_file: fileName.optional(),
    token: templated.min(1).optional(),
    token_file: fileName.optional(),
    title: templated.default('{{ template "pushover.default.title" . }}'),
    message: templated.default('{{ template "pushover.default.message" . }}'),
    url: templated.default('{{ template "pushover.default.url" . }}'),
    url_title: optionalText,
    device: optionalText,
    sound: optionalText,
    /** 2 is an emergency, which rings until somebody says that they have seen it. */
    priority: templated.default('{{ if eq .Status "firing" }}2{{ else }}0{{ end }}'),
    retry: durationSchema.prefault('1m'),
    expire: durationSchema.prefault('1h'),
    ttl: durationSchema.optional(),
    html: z.boolean().default(false),
    monospace: z.boolean().default(false),
    ...overHttp,
  })
  .refine(...exactlyOne('user_key', 'user_key_file'))
  .refine(...exactlyOne('token', 'token_file'))
  .refine(({ html, monospace }) => !html || !monospace, 'at most one of html and monospace');

export type PushoverConfig = z.output<typeof pushoverConfig>;
