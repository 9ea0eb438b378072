import { stringify } from 'yaml';
import { matcherToString, parseMatchers } from '../../alert/index.ts';

type Tree = Readonly<Record<string, unknown>>;

const secret = '<secret>';

/** What Alertmanager says of `global` where the file does not (config.go, `DefaultGlobalConfig`). */
const defaultGlobal = {
  resolve_timeout: '5m',
  http_config: { follow_redirects: true, enable_http2: true },
  smtp_hello: 'localhost',
  smtp_require_tls: true,
  pagerduty_url: 'https://events.pagerduty.com/v2/enqueue',
  opsgenie_api_url: 'https://api.opsgenie.com/',
  wechat_api_url: 'https://qyapi.weixin.qq.com/cgi-bin/',
  victorops_api_url: 'https://alert.victorops.com/integrations/generic/20131114/alert/',
  telegram_api_url: 'https://api.telegram.org',
  webex_api_url: 'https://webexapis.com/v1/messages',
};

/**
 * Writes a checked configuration as Alertmanager does for `/api/v2/status`: with its defaults and without secrets. amtool reads it back
 * to test routes. Of a webhook's URL only the path may be secret; it stays a URL, which older versions of amtool insist on.
 */
export function printConfig(tree: Tree): string {
  const { global = {}, route, receivers, templates = [], ...others } = tree as Record<string, Tree>;
  const shared = { ...defaultGlobal.http_config, ...(global['http_config'] as Tree | undefined) };
  const whole = {
    global: { ...defaultGlobal, ...global, http_config: shared },
    route: printRoute(route as Tree),
    ...others,
    receivers: (receivers as unknown as readonly Tree[]).map((receiver) => printReceiver(receiver, shared)),
    templates,
  };
  return stringify(mask(whole, ''));
}

function printRoute({ continue: continues = false, routes, ...route }: Tree): Tree {
  const children = (routes as readonly Tree[] | undefined)?.map(printRoute);
  return { ...route, continue: continues, ...(children?.length ? { routes: children } : {}) };
}

function printReceiver({ slack_configs, ...others }: Tree, sharedHttp: Tree): Tree {
  const receiver = {
    ...others,
    ...(Array.isArray(slack_configs) ? { slack_configs: slack_configs.map(printSlack) } : {}),
  };
  const { webhook_configs } = receiver as Tree;
  if (!Array.isArray(webhook_configs)) return receiver;
  const webhooks = (webhook_configs as readonly Tree[]).map(({ http_config, ...webhook }) => ({
    send_resolved: true,
    max_alerts: 0,
    ...webhook,
    http_config:
      http_config === undefined ? sharedHttp : { ...defaultGlobal.http_config, ...(http_config as Tree) },
  }));
  return { ...receiver, webhook_configs: webhooks };
}

/** The URL of a Slack webhook is a secret; that of other services is none. */
function printSlack(config: Tree): Tree {
  return config['api_url'] === undefined ? config : { ...config, api_url: secret };
}

/** Keys whose texts Alertmanager hides. */
const secretKey =
  /(?:^|_)(?:password|secret|credentials|bearer_token|token|bot_token|api_key|key|routing_key|service_key|user_key)$/;

/** Keys whose URLs are secrets as a whole. */
const secretUrls = new Set(['slack_api_url', 'webhook_url', 'proxy_url', 'secrets']);

const matcherKeys = new Set(['matchers', 'source_matchers', 'target_matchers']);

function mask(value: unknown, key: string): unknown {
  if (matcherKeys.has(key) && Array.isArray(value)) return value.flatMap(printMatchers);
  if (Array.isArray(value)) return value.map((item) => mask(item, key));
  if (typeof value === 'string') {
    if (secretKey.test(key) || secretUrls.has(key)) return secret;
    return key === 'url' ? maskUrl(value) : value;
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, mask(item, name)]));
}

/** One matcher an element, however many the file has in one. */
function printMatchers(text: unknown): string[] {
  const parsed = parseMatchers(String(text));
  return parsed.ok ? parsed.matchers.map(matcherToString) : [];
}

function maskUrl(text: string): string {
  if (!URL.canParse(text)) return secret;
  const url = new URL(text);
  const isPlain = url.pathname === '/' && url.search === '' && url.username === '' && url.password === '';
  return isPlain ? text : `${url.protocol}//${url.host}/${secret}`;
}
