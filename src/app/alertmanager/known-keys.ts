import type { ConfigPath } from '../config-document.ts';

/** Alertmanager's integrations. */
const integrationKeys = new Set([
  'discord_configs',
  'email_configs',
  'jira_configs',
  'mattermost_configs',
  'msteams_configs',
  'msteamsv2_configs',
  'incidentio_configs',
  'opsgenie_configs',
  'pagerduty_configs',
  'pushover_configs',
  'rocketchat_configs',
  'slack_configs',
  'sns_configs',
  'telegram_configs',
  'victorops_configs',
  'webex_configs',
  'webhook_configs',
  'wechat_configs',
]);

/** Keys of `http_config` (prometheus/common, config/http_config.go). */
const httpKeys = new Set([
  'authorization',
  'basic_auth',
  'bearer_token',
  'bearer_token_file',
  'enable_http2',
  'follow_redirects',
  'http_headers',
  'no_proxy',
  'oauth2',
  'proxy_connect_header',
  'proxy_from_environment',
  'proxy_url',
  'tls_config',
]);

/** What to say of a key that the schema does not know: that it is Alertmanager's and not built yet, or that nobody knows it. */
export function explainUnknownKey(path: ConfigPath): string {
  const key = String(path.at(-1));
  const parent = path.at(-2);
  const isKnown =
    (path.length === 3 && path[0] === 'receivers' && integrationKeys.has(key)) ||
    (parent === 'http_config' && httpKeys.has(key));
  return isKnown ? `${key} is not built in Tocsin yet` : 'unknown key';
}
