import { z } from 'zod';
import { atMostOne, exactlyOne } from './config-http.ts';
import { fileName, httpUrl, optionalText, overHttp, telling, templated } from './config-text.ts';

const slackField = z.strictObject({
  title: templated.min(1, 'missing title in Slack field configuration'),
  value: templated.min(1, 'missing value in Slack field configuration'),
  short: z.boolean().optional(),
});

const slackConfirm = z.strictObject({
  text: templated.min(1, 'missing text in Slack confirmation configuration'),
  title: optionalText,
  ok_text: optionalText,
  dismiss_text: optionalText,
});

const slackAction = z
  .strictObject({
    type: templated.min(1, 'missing type in Slack action configuration'),
    text: templated.min(1, 'missing text in Slack action configuration'),
    url: optionalText,
    style: optionalText,
    name: optionalText,
    value: optionalText,
    confirm: slackConfirm.optional(),
  })
  .refine(({ url, name }) => url !== '' || name !== '', 'missing name or url in Slack action configuration');

/** Alertmanager's `slack_config`. */
export const slackConfig = z
  .strictObject({
    ...telling(false),
    /** The URL of an incoming webhook. */
    api_url: httpUrl.optional(),
    api_url_file: fileName.optional(),
    /** In place of a webhook: the token of an app that may write to the channel. */
    app_token: z.string().min(1).optional(),
    app_token_file: fileName.optional(),
    app_url: httpUrl.optional(),
    channel: optionalText,
    username: templated.default('{{ template "slack.default.username" . }}'),
    color: templated.default('{{ if eq .Status "firing" }}danger{{ else }}good{{ end }}'),
    title: templated.default('{{ template "slack.default.title" . }}'),
    title_link: templated.default('{{ template "slack.default.titlelink" . }}'),
    pretext: templated.default('{{ template "slack.default.pretext" . }}'),
    text: templated.default('{{ template "slack.default.text" . }}'),
    message_text: optionalText,
    fields: z.array(slackField).default([]),
    short_fields: z.boolean().default(false),
    footer: templated.default('{{ template "slack.default.footer" . }}'),
    fallback: templated.default('{{ template "slack.default.fallback" . }}'),
    callback_id: templated.default('{{ template "slack.default.callbackid" . }}'),
    icon_emoji: templated.default('{{ template "slack.default.iconemoji" . }}'),
    icon_url: templated.default('{{ template "slack.default.iconurl" . }}'),
    image_url: optionalText,
    thumb_url: optionalText,
    link_names: z.boolean().default(false),
    mrkdwn_in: z.array(z.string()).default([]),
    actions: z.array(slackAction).default([]),
    ...overHttp,
  })
  .refine(...atMostOne('api_url', 'api_url_file', 'app_token', 'app_token_file'));

export type SlackConfig = z.output<typeof slackConfig>;

/** Alertmanager's `discord_config`. */
export const discordConfig = z
  .strictObject({
    ...telling(true),
    webhook_url: httpUrl.optional(),
    webhook_url_file: fileName.optional(),
    title: templated.default('{{ template "discord.default.title" . }}'),
    message: templated.default('{{ template "discord.default.message" . }}'),
    content: optionalText,
    username: z.string().default(''),
    avatar_url: z.string().default(''),
    ...overHttp,
  })
  .refine(...exactlyOne('webhook_url', 'webhook_url_file'));

export type DiscordConfig = z.output<typeof discordConfig>;

/** Alertmanager's `telegram_config`. */
export const telegramConfig = z
  .strictObject({
    ...telling(true),
    api_url: httpUrl.optional(),
    bot_token: z.string().min(1).optional(),
    bot_token_file: fileName.optional(),
    chat_id: z.int().refine((id) => id !== 0, 'missing chat_id on telegram_config'),
    /** A topic of the chat. */
    message_thread_id: z.int().optional(),
    message: templated.default('{{ template "telegram.default.message" . }}'),
    disable_notifications: z.boolean().default(false),
    parse_mode: z.enum(['MarkdownV2', 'Markdown', 'HTML', '']).default('HTML'),
    ...overHttp,
  })
  .refine(...atMostOne('bot_token', 'bot_token_file'));

export type TelegramConfig = z.output<typeof telegramConfig>;

const teamsUrl = {
  ...telling(true),
  webhook_url: httpUrl.optional(),
  webhook_url_file: fileName.optional(),
};

/** Alertmanager's `msteams_config`: cards for connectors, which Microsoft has ended. */
export const msteamsConfig = z
  .strictObject({
    ...teamsUrl,
    title: templated.default('{{ template "msteams.default.title" . }}'),
    summary: templated.default('{{ template "msteams.default.summary" . }}'),
    text: templated.default('{{ template "msteams.default.text" . }}'),
    ...overHttp,
  })
  .refine(...exactlyOne('webhook_url', 'webhook_url_file'));

export type MsteamsConfig = z.output<typeof msteamsConfig>;

/** Alertmanager's `msteamsv2_config`: adaptive cards for flows. */
export const msteamsv2Config = z
  .strictObject({
    ...teamsUrl,
    title: templated.default('{{ template "msteamsv2.default.title" . }}'),
    text: templated.default('{{ template "msteamsv2.default.text" . }}'),
    ...overHttp,
  })
  .refine(...exactlyOne('webhook_url', 'webhook_url_file'));

export type Msteamsv2Config = z.output<typeof msteamsv2Config>;
