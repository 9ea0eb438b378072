import { TocsinError } from '../engine/index.ts';
import type { Notification } from '../incident/index.ts';
import type { PagerdutyConfig } from './config-on-call.ts';
import { HttpClient, type HttpAnswer } from './http-client.ts';
import type { Integration, IntegrationContext } from './integration.ts';
import { groupHash, pageOf, truncate, withoutEmpty, type Page } from './page.ts';
import { secretOf } from './secret-file.ts';

/** Of a description (version 1) or summary (version 2): https://developer.pagerduty.com/docs/send-alert-event */
const maxSummaryLength = 1024;
const maxEventBytes = 512_000;

const firstVersionUrl = 'https://events.pagerduty.com/generic/2010-04-15/create_event.json';

/**
 * PagerDuty's events API, version 2 and (with a service key) version 1, as Alertmanager speaks it (notify/pagerduty/pagerduty.go). The
 * events of one group share a key, so that what triggers it again, and what resolves it, is one alert there. `v1Url` is for tests.
 */
export function createPagerduty(
  name: string,
  config: PagerdutyConfig,
  context: IntegrationContext,
  v1Url = firstVersionUrl,
): Integration {
  const client = new HttpClient(config.http_config ?? context.globals.http_config);
  const isFirstVersion = (config.service_key ?? config.service_key_file) !== undefined;
  const url = isFirstVersion ? v1Url : (config.url ?? context.globals.pagerduty_url);
  // Too many requests: 403 in version 1.
  const retryCodes = isFirstVersion ? [403] : [];
  return {
    name,
    isIdempotent: true,
    sendResolved: config.send_resolved,
    async send(id, notification, stop) {
      const page = pageOf(context, id, notification);
      const event = isFirstVersion
        ? await firstVersionEvent(config, page, notification)
        : await secondVersionEvent(config, page, notification);
      const request = { url, headers: { 'Content-Type': 'application/json' }, body: encode(event) };
      await client.send(request, { timeoutMs: config.timeout, stop }, { retryCodes, explain });
    },
  };
}

interface PagerdutyEvent {
  readonly body: Readonly<Record<string, unknown>>;
  /** The same event with other details. */
  readonly withDetails: (details: Readonly<Record<string, string>>) => Readonly<Record<string, unknown>>;
}

/** An event that is too large goes without its details. */
function encode({ body, withDetails }: PagerdutyEvent): string {
  const text = JSON.stringify(body);
  if (Buffer.byteLength(text) <= maxEventBytes) return text;
  return JSON.stringify(
    withDetails({
      error: 'Custom details have been removed because the original event exceeds the maximum size of 512KB',
    }),
  );
}

async function secondVersionEvent(
  config: PagerdutyConfig,
  page: Page,
  notification: Notification,
): Promise<PagerdutyEvent> {
  const { text } = page;
  const key = requireKey(text(await secretOf(config.routing_key, config.routing_key_file)), 'routing');
  const withDetails = (details: Readonly<Record<string, string>>) => ({
    ...withoutEmpty({
      routing_key: key,
      dedup_key: groupHash(notification),
      client: text(config.client),
      client_url: text(config.client_url),
      images: config.images
        .map(({ src, alt, href }) => ({ src: text(src), alt: text(alt), href: text(href) }))
        .filter(({ src }) => src !== ''),
      links: config.links
        .map((link) => ({ href: text(link.href), text: text(link.text) }))
        .filter(({ href }) => href !== ''),
    }),
    event_action: actionOf(notification),
    payload: {
      summary: truncate(text(config.description), maxSummaryLength),
      source: text(config.source === '' ? config.client : config.source),
      severity: text(config.severity === '' ? 'error' : config.severity),
      ...withoutEmpty({
        class: text(config.class),
        component: text(config.component),
        group: text(config.group),
      }),
      custom_details: details,
    },
  });
  return { body: withDetails(detailsOf(config, page)), withDetails };
}

async function firstVersionEvent(
  config: PagerdutyConfig,
  page: Page,
  notification: Notification,
): Promise<PagerdutyEvent> {
  const { text } = page;
  const key = requireKey(text(await secretOf(config.service_key, config.service_key_file)), 'service');
  const event_type = actionOf(notification);
  const isTrigger = event_type === 'trigger';
  const withDetails = (details: Readonly<Record<string, string>>) => ({
    service_key: key,
    event_type,
    incident_key: groupHash(notification),
    ...withoutEmpty({
      description: truncate(text(config.description), maxSummaryLength),
      client: isTrigger ? text(config.client) : '',
      client_url: isTrigger ? text(config.client_url) : '',
    }),
    event_action: '',
    payload: null,
    details,
  });
  return { body: withDetails(detailsOf(config, page)), withDetails };
}

function actionOf({ status }: Notification): 'trigger' | 'resolve' {
  return status === 'resolved' ? 'resolve' : 'trigger';
}

function detailsOf({ details }: PagerdutyConfig, { text }: Page): Record<string, string> {
  return Object.fromEntries(Object.entries(details).map(([name, value]) => [name, text(value)]));
}

function requireKey(key: string, kind: 'routing' | 'service'): string {
  if (key === '') throw new TocsinError('TOC_NOTIFY_REFUSED', `the ${kind} key is empty`);
  return key;
}

/** Of a bad request: `{"status":"invalid event","message":"Event object is invalid","errors":["..."]}`. */
function explain({ status, text }: HttpAnswer): string {
  if (status !== 400) return '';
  try {
    const { message, errors } = JSON.parse(text) as { readonly message?: unknown; readonly errors?: unknown };
    return `${String(message)}: ${Array.isArray(errors) ? errors.join(',') : ''}`;
  } catch {
    return '';
  }
}
