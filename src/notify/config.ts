import { z } from 'zod';
import { durationSchema } from '../alert/index.ts';

const authorization = z.strictObject({
  type: z.string().default('Bearer'),
  credentials: z.string().optional(),
  credentials_file: z.string().optional(),
});

const basicAuth = z.strictObject({
  username: z.string().min(1),
  password: z.string().optional(),
  password_file: z.string().optional(),
});

const httpConfig = z
  .strictObject({ authorization: authorization.optional(), basic_auth: basicAuth.optional() })
  .refine(
    ({ authorization, basic_auth }) => !authorization || !basic_auth,
    'at most one of authorization and basic_auth',
  );

const webhookConfig = z
  .strictObject({
    url: z.url({ protocol: /^https?$/ }).optional(),
    /** File that holds the URL, where the URL is a secret. */
    url_file: z.string().min(1).optional(),
    send_resolved: z.boolean().default(true),
    /** More alerts than this are left out of the body and counted in `truncatedAlerts`; 0 sends all. */
    max_alerts: z.int().min(0).default(0),
    /** For one attempt. */
    timeout: durationSchema.prefault('10s'),
    http_config: httpConfig.prefault({}),
  })
  .refine(
    ({ url, url_file }) => (url === undefined) !== (url_file === undefined),
    'exactly one of url and url_file',
  );

const natsReceiverConfig = z.strictObject({
  send_resolved: z.boolean().default(true),
  /** Incidents go to `<subject>.<priority in lower case>`. */
  subject: z
    .string()
    .regex(/^[^\s*>.]+(?:\.[^\s*>.]+)*$/, 'must be a NATS subject without wildcards')
    .default('tocsin.incidents'),
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
