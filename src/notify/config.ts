import { z } from 'zod';
import { discordConfig, msteamsConfig, msteamsv2Config, slackConfig, telegramConfig } from './config-chat.ts';
import { emailConfig } from './config-email.ts';
import { exactlyOne } from './config-http.ts';
import { opsgenieConfig, pagerdutyConfig, pushoverConfig, victoropsConfig } from './config-on-call.ts';
import { fileName, httpUrl, overHttp, telling } from './config-text.ts';

const webhookUrl = httpUrl.refine(
  (url) => !URL.canParse(url) || (new URL(url).username === '' && new URL(url).password === ''),
  'must hold no user and password: use http_config.basic_auth',
);

const webhookConfig = z
  .strictObject({
    url: webhookUrl.optional(),
    /** File that holds the URL, where the URL is a secret. Read anew for each attempt, as are all secret files. */
    url_file: fileName.optional(),
    ...telling(true),
    /** More alerts than this are left out of the body and counted in `truncatedAlerts`; 0 sends all. */
    max_alerts: z.int().min(0).default(0),
    ...overHttp,
  })
  .refine(...exactlyOne('url', 'url_file'));

const subject = z.string().regex(/^[^\s*>.]+(?:\.[^\s*>.]+)*$/, 'must be a NATS subject without wildcards');

const natsReceiverConfig = z.strictObject({
  ...telling(true),
  /** Pages of incidents go to `<subject>.<priority in lower case>`, such as `tocsin.incidents.p1`. */
  subject: subject.default('tocsin.incidents'),
  /** Pages of groups that are no incident go here. */
  page_subject: subject.default('tocsin.pages'),
  /** More alerts than this are left out and counted; 0 sends all. A NATS server takes 1 MiB unless told otherwise. */
  max_alerts: z.int().min(0).default(200),
});

const consoleConfig = z.strictObject({ ...telling(true) });

/** Section `receivers`, as in Alertmanager; `nats_configs` and `console_configs` are ours. */
export const receiversConfig = z
  .array(
    z.strictObject({
      name: z.string().min(1),
      webhook_configs: z.array(webhookConfig).default([]),
      slack_configs: z.array(slackConfig).default([]),
      email_configs: z.array(emailConfig).default([]),
      pagerduty_configs: z.array(pagerdutyConfig).default([]),
      opsgenie_configs: z.array(opsgenieConfig).default([]),
      msteams_configs: z.array(msteamsConfig).default([]),
      msteamsv2_configs: z.array(msteamsv2Config).default([]),
      telegram_configs: z.array(telegramConfig).default([]),
      discord_configs: z.array(discordConfig).default([]),
      pushover_configs: z.array(pushoverConfig).default([]),
      victorops_configs: z.array(victoropsConfig).default([]),
      nats_configs: z.array(natsReceiverConfig).default([]),
      console_configs: z.array(consoleConfig).default([]),
    }),
  )
  .min(1, 'expected at least one receiver')
  .superRefine((receivers, context) => {
    const seen = new Set<string>();
    for (const [index, { name }] of receivers.entries()) {
      if (seen.has(name))
        context.addIssue({
          code: 'custom',
          path: [index, 'name'],
          message: `receiver ${name} is defined twice`,
        });
      seen.add(name);
    }
  });

export type ReceiversConfig = z.output<typeof receiversConfig>;
export type ReceiverConfig = ReceiversConfig[number];
export type WebhookConfig = ReceiverConfig['webhook_configs'][number];
export type NatsReceiverConfig = ReceiverConfig['nats_configs'][number];
