import { z } from 'zod';
import { httpConfig, tlsConfig } from './config-http.ts';
import { fileName, httpUrl, templated } from './config-text.ts';

const secret = z.string().min(1).optional();

/** The keys of Alertmanager's `global` that integrations fall back to, with its defaults (config/config.go). */
export const globalKeys = {
  http_config: httpConfig.prefault({}),
  smtp_from: templated.optional(),
  smtp_hello: z.string().min(1).default('localhost'),
  smtp_smarthost: z.string().min(1).optional(),
  smtp_auth_username: z.string().optional(),
  smtp_auth_password: secret,
  smtp_auth_password_file: fileName.optional(),
  smtp_auth_secret: secret,
  smtp_auth_secret_file: fileName.optional(),
  smtp_auth_identity: z.string().optional(),
  smtp_require_tls: z.boolean().default(true),
  smtp_tls_config: tlsConfig.optional(),
  slack_api_url: httpUrl.optional(),
  slack_api_url_file: fileName.optional(),
  slack_app_token: secret,
  slack_app_token_file: fileName.optional(),
  slack_app_url: httpUrl.default('https://slack.com/api/chat.postMessage'),
  pagerduty_url: httpUrl.default('https://events.pagerduty.com/v2/enqueue'),
  opsgenie_api_url: httpUrl.default('https://api.opsgenie.com/'),
  opsgenie_api_key: secret,
  opsgenie_api_key_file: fileName.optional(),
  victorops_api_url: httpUrl.default('https://alert.victorops.com/integrations/generic/20131114/alert/'),
  victorops_api_key: secret,
  victorops_api_key_file: fileName.optional(),
  telegram_api_url: httpUrl.default('https://api.telegram.org'),
  telegram_bot_token: secret,
  telegram_bot_token_file: fileName.optional(),
};

/** Of each of these only one may be said. */
const alternatives = [
  ['smtp_auth_password', 'smtp_auth_password_file'],
  ['smtp_auth_secret', 'smtp_auth_secret_file'],
  ['slack_api_url', 'slack_api_url_file'],
  ['slack_app_token', 'slack_app_token_file'],
  ['opsgenie_api_key', 'opsgenie_api_key_file'],
  ['victorops_api_key', 'victorops_api_key_file'],
  ['telegram_bot_token', 'telegram_bot_token_file'],
] as const;

/** What the keys of `global` have to be together: a refinement of a schema that has them. */
export function checkGlobals(section: ReceiverGlobals, context: z.RefinementCtx): void {
  for (const [key, fileKey] of alternatives) {
    if (section[key] === undefined || section[fileKey] === undefined) continue;
    context.addIssue({ code: 'custom', path: [fileKey], message: `at most one of ${key} and ${fileKey}` });
  }
}

export const notifyGlobals = z
  .strictObject(globalKeys)
  .superRefine((section, context) => checkGlobals(section, context));

/** What is global for the integrations of all receivers. */
export type ReceiverGlobals = z.output<z.ZodObject<typeof globalKeys>>;

/** Of a section `global` what is for integrations. */
export function globalsOf(section: ReceiverGlobals): ReceiverGlobals {
  return Object.fromEntries(
    Object.entries(section).filter(([key]) => Object.hasOwn(globalKeys, key)),
  ) as ReceiverGlobals;
}
