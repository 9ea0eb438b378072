import type { SecureVersion } from 'node:tls';
import type { Dispatcher, RequestInit, Response } from 'undici';
import type { HttpConfig, TlsConfig } from './config-http.ts';
import { secretOf } from './secret-file.ts';

type ProxyConfig = Pick<
  HttpConfig,
  'proxy_url' | 'no_proxy' | 'proxy_from_environment' | 'proxy_connect_header' | 'tls_config'
>;

const versions = {
  TLS10: 'TLSv1',
  TLS11: 'TLSv1.1',
  TLS12: 'TLSv1.2',
  TLS13: 'TLSv1.3',
} as const satisfies Record<string, SecureVersion>;

/** The options of node:tls that a `tls_config` can set. */
export interface TlsOptions {
  readonly rejectUnauthorized: boolean;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
  readonly minVersion?: SecureVersion;
  readonly maxVersion?: SecureVersion;
}

/** What node:tls needs of a `tls_config`. Reads its files; rejects with TOC_NOTIFY_FAILED where they cannot be. */
export async function tlsOptions(config: TlsConfig): Promise<TlsOptions> {
  const [ca, cert, key] = await Promise.all([
    secretOf(config.ca, config.ca_file),
    secretOf(config.cert, config.cert_file),
    secretOf(config.key, config.key_file),
  ]);
  return {
    rejectUnauthorized: !config.insecure_skip_verify,
    ...(ca === '' ? {} : { ca }),
    ...(cert === '' ? {} : { cert }),
    ...(key === '' ? {} : { key }),
    ...(config.server_name === undefined ? {} : { servername: config.server_name }),
    ...(config.min_version === undefined ? {} : { minVersion: versions[config.min_version] }),
    ...(config.max_version === undefined ? {} : { maxVersion: versions[config.max_version] }),
  };
}

/**
 * Makes connections as a `http_config` says: its TLS, its proxy. They are kept from request to request; certificates are read anew for
 * each, and where they have changed so are the connections.
 */
export class Connections {
  readonly #config: ProxyConfig;
  #made: { readonly for: string; readonly dispatcher: Dispatcher } | null = null;

  constructor(config: ProxyConfig) {
    this.#config = config;
  }

  /** `fetch`, through these connections. It is loaded when first needed: a start does not wait for it. */
  async fetch(url: string, init: RequestInit): Promise<Response> {
    const [{ fetch }, dispatcher] = await Promise.all([import('undici'), this.#dispatcher()]);
    return fetch(url, dispatcher ? { ...init, dispatcher } : init);
  }

  /** Undefined where nothing special is wanted. */
  async #dispatcher(): Promise<Dispatcher | undefined> {
    const { tls_config, proxy_url, proxy_from_environment } = this.#config;
    const isProxied = proxy_url !== undefined || proxy_from_environment === true;
    if (!tls_config && !isProxied) return undefined;
    const tls = tls_config ? await tlsOptions(tls_config) : {};
    const wanted = JSON.stringify(tls);
    if (this.#made?.for !== wanted) {
      void this.#made?.dispatcher.close();
      const { Agent } = await import('undici');
      this.#made = {
        for: wanted,
        dispatcher: isProxied ? await this.#proxied(tls) : new Agent({ connect: tls }),
      };
    }
    return this.#made.dispatcher;
  }

  async #proxied(tls: Partial<TlsOptions>): Promise<Dispatcher> {
    const { EnvHttpProxyAgent } = await import('undici');
    const { proxy_url, no_proxy, proxy_connect_header = {} } = this.#config;
    const headers = Object.fromEntries(
      Object.entries(proxy_connect_header).map(([name, values]) => [name, values.join(', ')]),
    );
    return new EnvHttpProxyAgent({
      ...(proxy_url === undefined
        ? {}
        : { httpProxy: proxy_url, httpsProxy: proxy_url, noProxy: no_proxy ?? '' }),
      // Requests over plain HTTP go through the proxy without a tunnel, as Go's do.
      proxyTunnel: false,
      headers,
      connect: tls,
      requestTls: tls,
    });
  }
}
