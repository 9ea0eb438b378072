import { plainText } from '../alert/index.ts';
import { TocsinError } from '../engine/index.ts';
import type { SlackConfig } from './config-chat.ts';
import type { ReceiverGlobals } from './config-global.ts';
import { HttpClient, type HttpAnswer, type HttpRequest } from './http-client.ts';
import type { Integration, IntegrationContext } from './integration.ts';
import { pageOf, truncate, withoutEmpty, type Page } from './page.ts';
import { secretOf } from './secret-file.ts';

/** https://api.slack.com/reference/messaging/attachments#legacy_fields */
const maxTitleLength = 1024;

/** Alertmanager's Slack notifications (notify/slack/slack.go): one attachment, by an incoming webhook or as an app. */
export function createSlack(name: string, config: SlackConfig, context: IntegrationContext): Integration {
  const client = new HttpClient(config.http_config ?? context.globals.http_config);
  const target = targetOf(config, context.globals);
  return {
    name,
    sendResolved: config.send_resolved,
    async send(id, notification, stop) {
      const body = JSON.stringify(slackMessage(config, pageOf(context, id, notification)));
      const request = { ...(await target()), body };
      checkAccepted(await client.send(request, { timeoutMs: config.timeout, stop }));
    },
  };
}

/** Where messages go, of the integration's own or else of the global configuration. Throws TOC_CONFIG_INVALID where neither says it. */
function targetOf(config: SlackConfig, globals: ReceiverGlobals): () => Promise<Omit<HttpRequest, 'body'>> {
  const isOwn = [config.api_url, config.api_url_file, config.app_token, config.app_token_file].some(Boolean);
  const { api_url, api_url_file, app_token, app_token_file } = isOwn
    ? config
    : {
        api_url: globals.slack_api_url,
        api_url_file: globals.slack_api_url_file,
        app_token: globals.slack_app_token,
        app_token_file: globals.slack_app_token_file,
      };
  const json = { 'Content-Type': 'application/json' };
  if (api_url ?? api_url_file)
    return async () => ({ url: await secretOf(api_url, api_url_file), headers: json });
  if (!(app_token ?? app_token_file))
    throw new TocsinError(
      'TOC_CONFIG_INVALID',
      'no Slack API URL is set, neither here nor as global.slack_api_url',
    );
  const url = config.app_url ?? globals.slack_app_url;
  return async () => ({
    url,
    headers: { ...json, Authorization: `Bearer ${await secretOf(app_token, app_token_file)}` },
  });
}

function slackMessage(config: SlackConfig, page: Page): Record<string, unknown> {
  const { text } = page;
  return withoutEmpty({
    channel: text(config.channel),
    username: text(config.username),
    icon_emoji: text(config.icon_emoji),
    icon_url: text(config.icon_url),
    link_names: config.link_names,
    text: text(config.message_text),
    attachments: [
      {
        ...withoutEmpty({
          title: truncate(text(config.title), maxTitleLength),
          title_link: text(config.title_link),
          pretext: text(config.pretext),
          fields: config.fields.map(({ title, value, short = config.short_fields }) => ({
            title: text(title),
            value: text(value),
            short,
          })),
          actions: config.actions.map((action) => slackAction(action, page)),
          image_url: text(config.image_url),
          thumb_url: text(config.thumb_url),
          color: text(config.color),
          mrkdwn_in: config.mrkdwn_in.length > 0 ? config.mrkdwn_in : ['fallback', 'pretext', 'text'],
        }),
        text: text(config.text),
        fallback: text(config.fallback),
        callback_id: text(config.callback_id),
        footer: text(config.footer),
      },
    ],
  });
}

/** A button with a URL is a link; what belongs to other buttons is left out of it. */
function slackAction(
  { type, text: label, url, style, name, value, confirm }: SlackConfig['actions'][number],
  { text }: Page,
): Record<string, unknown> {
  const shared = { type: text(type), text: text(label), style: text(style) };
  if (url !== '') return withoutEmpty({ ...shared, url: text(url) });
  return withoutEmpty({
    ...shared,
    name: text(name),
    value: text(value),
    confirm: confirm && {
      ...withoutEmpty({
        title: text(confirm.title),
        ok_text: text(confirm.ok_text),
        dismiss_text: text(confirm.dismiss_text),
      }),
      text: text(confirm.text),
    },
  });
}

/** Slack answers 200 to what it does not take, too: `{"ok":false,"error":"channel_not_found"}`. */
function checkAccepted({ text }: HttpAnswer): void {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    return;
  }
  if (typeof answer !== 'object' || answer === null || !('ok' in answer) || answer.ok !== false) return;
  const error = 'error' in answer ? plainText(String(answer.error), 200) : '';
  throw new TocsinError(
    'TOC_NOTIFY_REFUSED',
    `the receiver did not take it${error === '' ? '' : `: ${error}`}`,
  );
}
