import { z } from 'zod';
import { durationSchema } from '../alert/index.ts';

const authorization = z
  .strictObject({
    type: z
      .string()
      .regex(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/, 'is no authorization scheme')
      .refine((type) => type.toLowerCase() !== 'basic', 'use basic_auth')
      .default('Bearer'),
    credentials: z.string().min(1).optional(),
    credentials_file: z.string().min(1).optional(),
  })
  .refine(
    ({ credentials, credentials_file }) => (credentials === undefined) !== (credentials_file === undefined),
    'exactly one of credentials and credentials_file',
  );

const basicAuth = z
  .strictObject({
    username: z.string().min(1),
    password: z.string().optional(),
    password_file: z.string().min(1).optional(),
  })
  .refine(
    ({ password, password_file }) => password === undefined || password_file === undefined,
    'at most one of password and password_file',
  );

/** `http_config` of an integration, and of Alertmanager's `global` for all of them. */
export const httpConfig = z
  .strictObject({
    authorization: authorization.optional(),
    basic_auth: basicAuth.optional(),
    follow_redirects: z.boolean().default(true),
  })
  .refine(
    ({ authorization, basic_auth }) => !authorization || !basic_auth,
    'at most one of authorization and basic_auth',
  );

const webhookUrl = z
  .url({ protocol: /^https?$/, error: 'expected an http or https URL' })
  .refine(
    (url) => !URL.canParse(url) || (new URL(url).username === '' && new URL(url).password === ''),
    'must hold no user and password: use http_config.basic_auth',
  );

const webhookConfig = z
  .strictObject({
    url: webhookUrl.optional(),
    /** File that holds the URL, where the URL is a secret. Read anew for each attempt, as are all secret files. */
    url_file: z.string().min(1).optional(),
    send_resolved: z.boolean().default(true),
    /** More alerts than this are left out of the body and counted in `truncatedAlerts`; 0 sends all. */
    max_alerts: z.int().min(0).default(0),
    /** For one attempt. */
    timeout: durationSchema.refine((ms) => ms > 0, 'must be more than zero').prefault('10s'),
    http_config: httpConfig.prefault({}),
  })
  .refine(
    ({ url, url_file }) => (url === undefined) !== (url_file === undefined),
    'exactly one of url and url_file',
  );

const subject = z.string().regex(/^[^\s*>.]+(?:\.[^\s*>.]+)*$/, 'must be a NATS subject without wildcards');

const natsReceiverConfig = z.strictObject({
  send_resolved: z.boolean().default(true),
  /** Pages of incidents go to `<subject>.<priority in lower case>`, such as `tocsin.incidents.p1`. */
  subject: subject.default('tocsin.incidents'),
  /** Pages of groups that are no incident go here. */
  page_subject: subject.default('tocsin.pages'),
  /** More alerts than this are left out and counted; 0 sends all. A NATS server takes 1 MiB unless told otherwise. */
  max_alerts: z.int().min(0).default(200),
});

const consoleConfig = z.strictObject({ send_resolved: z.boolean().default(true) });

/** Section `receivers`, as in Alertmanager; `nats_configs` and `console_configs` are ours. */
export const receiversConfig = z
  .array(
    z.strictObject({
      name: z.string().min(1),
      webhook_configs: z.array(webhookConfig).default([]),
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

/**
 * The receivers without what nobody should read: webhook URLs, credentials and passwords become `<secret>`. What is shown, logged
 * or kept in the log of entries is this; only the notifier gets the real ones.
 */
export function withoutSecrets(receivers: ReceiversConfig): ReceiversConfig {
  return receivers.map((receiver) => ({
    ...receiver,
    webhook_configs: receiver.webhook_configs.map((config) => {
      const { authorization, basic_auth } = config.http_config;
      return {
        ...config,
        ...(config.url === undefined ? {} : { url: secret }),
        http_config: {
          ...config.http_config,
          ...(authorization?.credentials === undefined
            ? {}
            : { authorization: { ...authorization, credentials: secret } }),
          ...(basic_auth?.password === undefined ? {} : { basic_auth: { ...basic_auth, password: secret } }),
        },
      };
    }),
  }));
}

const secret = '<secret>';
