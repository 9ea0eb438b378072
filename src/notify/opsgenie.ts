import { commonLabels, labelPairs } from '../alert/index.ts';
import type { Notification } from '../incident/index.ts';
import type { OpsgenieConfig } from './config-on-call.ts';
import { HttpClient, type HttpRequest } from './http-client.ts';
import type { Integration, IntegrationContext } from './integration.ts';
import { groupHash, pageOf, truncate, withoutEmpty, type Page } from './page.ts';
import { ownOrGlobal } from './secret-file.ts';

/** https://docs.opsgenie.com/docs/alert-api */
const maxMessageLength = 130;

/**
 * Opsgenie's alert API as Alertmanager speaks it (notify/opsgenie/opsgenie.go): the group's key is the alert's alias. With `update_alerts`
 * three requests make a notification; when a later one fails all are sent again, which is harmless.
 */
export function createOpsgenie(
  name: string,
  config: OpsgenieConfig,
  context: IntegrationContext,
): Integration {
  const { globals } = context;
  const client = new HttpClient(config.http_config ?? globals.http_config);
  const readKey = ownOrGlobal(
    { value: config.api_key, file: config.api_key_file },
    { value: globals.opsgenie_api_key, file: globals.opsgenie_api_key_file },
    { what: 'API key', globalKey: 'opsgenie_api_key' },
  );
  const api = config.api_url ?? globals.opsgenie_api_url;
  return {
    name,
    isIdempotent: true,
    sendResolved: config.send_resolved,
    async send(id, notification, stop) {
      const page = pageOf(context, id, notification);
      const headers = {
        'Content-Type': 'application/json',
        Authorization: `GenieKey ${page.text(await readKey())}`,
      };
      for (const request of requestsFor(config, page, notification, api))
        await client.send({ ...request, headers }, { timeoutMs: config.timeout, stop });
    },
  };
}

function requestsFor(
  config: OpsgenieConfig,
  page: Page,
  notification: Notification,
  api: string,
): Omit<HttpRequest, 'headers'>[] {
  const { text } = page;
  const alias = groupHash(notification);
  const source = text(config.source);
  const alertUrl = (action: string) =>
    urlOf(api, `v2/alerts/${alias}/${action}`, { identifierType: 'alias' });
  if (notification.status === 'resolved')
    return [{ url: alertUrl('close'), body: JSON.stringify({ source }) }];
  const message = truncate(text(config.message), maxMessageLength);
  const description = text(config.description);
  const create = {
    alias,
    message,
    details: {
      ...Object.fromEntries(labelPairs(commonLabels(notification.alerts.map(({ alert }) => alert.labels)))),
      ...Object.fromEntries(Object.entries(config.details).map(([name, value]) => [name, text(value)])),
    },
    source,
    ...withoutEmpty({
      description,
      responders: respondersOf(config, page),
      tags: splitList(text(config.tags)),
      note: text(config.note),
      priority: text(config.priority),
      entity: text(config.entity),
      actions: splitList(text(config.actions)),
    }),
  };
  const requests: Omit<HttpRequest, 'headers'>[] = [
    { url: urlOf(api, 'v2/alerts'), body: JSON.stringify(create) },
  ];
  if (!config.update_alerts) return requests;
  return [
    ...requests,
    { method: 'PUT', url: alertUrl('message'), body: JSON.stringify(withoutEmpty({ message })) },
    { method: 'PUT', url: alertUrl('description'), body: JSON.stringify(withoutEmpty({ description })) },
  ];
}

/** Those of which a template left something; `teams` is a list of names. */
function respondersOf({ responders }: OpsgenieConfig, { text }: Page): Record<string, unknown>[] {
  return responders.flatMap((responder) => {
    const [id, name, username, type] = [
      text(responder.id),
      text(responder.name),
      text(responder.username),
      text(responder.type),
    ];
    if (id === '' && name === '' && username === '' && type === '') return [];
    if (type === 'teams') return splitList(name).map((team) => ({ name: team, type: 'team' }));
    return [{ ...withoutEmpty({ id, name, username }), type }];
  });
}

function splitList(list: string): string[] {
  return list
    .trim()
    .split(',')
    .filter((item) => item !== '');
}

function urlOf(api: string, path: string, query: Readonly<Record<string, string>> = {}): string {
  const url = new URL(api);
  url.pathname = `${url.pathname.replace(/\/$/, '')}/${path}`;
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return url.href;
}
