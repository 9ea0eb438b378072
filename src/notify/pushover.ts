import type { PushoverConfig } from './config-on-call.ts';
import { HttpClient } from './http-client.ts';
import type { Integration, IntegrationContext } from './integration.ts';
import { pageOf, truncate, type Page } from './page.ts';
import { secretOf } from './secret-file.ts';

/** https://pushover.net/api#limits */
const maxTitleLength = 250;
const maxMessageLength = 1024;
const maxUrlLength = 512;

const messagesUrl = 'https://api.pushover.net/1/messages.json';

/**
 * A message by Pushover, with what Alertmanager says in it (notify/pushover/pushover.go). It goes in the body, where Alertmanager puts
 * it, keys and all, into the URL. `apiUrl` is for tests.
 */
export function createPushover(
  name: string,
  config: PushoverConfig,
  context: IntegrationContext,
  apiUrl = messagesUrl,
): Integration {
  const client = new HttpClient(config.http_config ?? context.globals.http_config);
  return {
    name,
    sendResolved: config.send_resolved,
    async send(id, notification, stop) {
      const page = pageOf(context, id, notification);
      const form = new URLSearchParams({
        token: page.text(await secretOf(config.token, config.token_file)),
        user: page.text(await secretOf(config.user_key, config.user_key_file)),
        ...messageOf(config, page),
      });
      const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
      await client.send({ url: apiUrl, headers, body: form.toString() }, { timeoutMs: config.timeout, stop });
    },
  };
}

function messageOf(config: PushoverConfig, { text, html }: Page): Record<string, string> {
  const message = truncate(
    config.html ? html(config.message) : text(config.message),
    maxMessageLength,
  ).trim();
  const device = text(config.device);
  return {
    title: truncate(text(config.title), maxTitleLength),
    ...(config.html ? { html: '1' } : {}),
    ...(config.monospace ? { monospace: '1' } : {}),
    // Pushover takes no empty message.
    message: message === '' ? '(no details)' : message,
    url: truncate(text(config.url), maxUrlLength),
    url_title: text(config.url_title),
    priority: text(config.priority),
    retry: String(Math.trunc(config.retry / 1000)),
    expire: String(Math.trunc(config.expire / 1000)),
    ...(device === '' ? {} : { device }),
    ...(config.ttl === undefined ? {} : { ttl: String(Math.trunc(config.ttl / 1000)) }),
    sound: text(config.sound),
  };
}
