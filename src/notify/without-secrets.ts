import type { ReceiverGlobals } from './config-global.ts';
import type { ReceiversConfig } from './config.ts';

const secret = '<secret>';

/** Keys whose value is a secret, or a URL that is one, wherever they stand. */
const secretKeys = new Set([
  'api_key',
  'app_token',
  'auth_password',
  'auth_secret',
  'bot_token',
  'client_secret',
  'credentials',
  'key',
  'password',
  'proxy_url',
  'secrets',
  'service_key',
  'token',
  'user_key',
  'webhook_url',
]);

/** Keys that are secrets in some integrations only. */
const secretKeysOf: Readonly<Record<string, ReadonlySet<string>>> = {
  webhook_configs: new Set(['url']),
  slack_configs: new Set(['api_url']),
  pagerduty_configs: new Set(['routing_key']),
};

/**
 * The receivers without what nobody should read: URLs that are secrets, credentials, keys and passwords become `<secret>`. What is shown,
 * logged or kept in the log of entries is this; only the notifier gets the real ones.
 */
export function withoutSecrets(receivers: ReceiversConfig): ReceiversConfig {
  return receivers.map((receiver) => {
    const masked = Object.entries(receiver).map(([key, configs]) => [
      key,
      Array.isArray(configs) ? configs.map((config) => maskConfig(config, secretKeysOf[key])) : configs,
    ]);
    return Object.fromEntries(masked) as typeof receiver;
  });
}

/** A section `global` without its secrets. */
export function globalsWithoutSecrets<T extends ReceiverGlobals>(globals: T): T {
  return maskConfig(globals, secretGlobals) as T;
}

const secretGlobals: ReadonlySet<string> = new Set([
  'smtp_auth_password',
  'smtp_auth_secret',
  'slack_api_url',
  'slack_app_token',
  'opsgenie_api_key',
  'victorops_api_key',
  'telegram_bot_token',
]);

/** The keys at the top of an integration may be secrets of their own. */
function maskConfig(config: object, own: ReadonlySet<string> | undefined): unknown {
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => [
      key,
      own?.has(key) && value !== undefined ? secret : mask(key, value),
    ]),
  );
}

function mask(key: string, value: unknown): unknown {
  if (secretKeys.has(key) && (typeof value === 'string' || Array.isArray(value)))
    return Array.isArray(value) ? value.map(() => secret) : secret;
  if (Array.isArray(value)) return value.map((item) => mask('', item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, mask(name, inner)]));
}
