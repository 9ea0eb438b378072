import { TocsinError } from '../engine/index.ts';
import type { OAuth2Config } from './config-http.ts';
import { Connections } from './connections.ts';
import { secretOf } from './secret-file.ts';

/** A token is not used in its last seconds, for it would end on the way. */
const marginMs = 10_000;

/** Gets tokens by client credentials (RFC 6749, 4.4) and keeps each as long as it is good. */
export class TokenSource {
  readonly #config: OAuth2Config;
  readonly #connections: Connections;
  #token: { readonly text: string; readonly secret: string; readonly endsAtMs: number } | null = null;

  constructor(config: OAuth2Config) {
    this.#config = config;
    this.#connections = new Connections(config);
  }

  /** The value of the header `Authorization`. Rejects with TOC_NOTIFY_FAILED where no token is given. */
  async authorization(signal: AbortSignal): Promise<string> {
    const secret = await secretOf(this.#config.client_secret, this.#config.client_secret_file);
    if (this.#token === null || this.#token.secret !== secret || Date.now() >= this.#token.endsAtMs)
      this.#token = { ...(await this.#request(secret, signal)), secret };
    return this.#token.text;
  }

  /** Forgets a token that was refused. */
  forget(): void {
    this.#token = null;
  }

  async #request(secret: string, signal: AbortSignal): Promise<{ text: string; endsAtMs: number }> {
    const { client_id, token_url, scopes, endpoint_params } = this.#config;
    const form = new URLSearchParams({ grant_type: 'client_credentials', ...endpoint_params });
    if (scopes.length > 0) form.set('scope', scopes.join(' '));
    const credentials = `${encodeURIComponent(client_id)}:${encodeURIComponent(secret)}`;
    let answer: unknown;
    try {
      const response = await this.#connections.fetch(token_url, {
        method: 'POST',
        headers: {
          Authorization: `Basic ${Buffer.from(credentials).toString('base64')}`,
          'Content-Type': 'application/x-www-form-urlencoded',
          Accept: 'application/json',
        },
        body: form.toString(),
        signal,
      });
      if (!response.ok) {
        await response.body?.cancel();
        throw new TocsinError('TOC_NOTIFY_FAILED', `the server of tokens answered ${response.status}`);
      }
      answer = await response.json();
    } catch (cause) {
      if (cause instanceof TocsinError) throw cause;
      throw new TocsinError('TOC_NOTIFY_FAILED', 'the server of tokens could not be reached', { cause });
    }
    return tokenIn(answer);
  }
}

function tokenIn(answer: unknown): { text: string; endsAtMs: number } {
  const { access_token, token_type, expires_in } = (answer ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof access_token !== 'string' || access_token === '')
    throw new TocsinError('TOC_NOTIFY_FAILED', 'the server of tokens gave none');
  const type =
    typeof token_type === 'string' && token_type.toLowerCase() !== 'bearer' ? token_type : 'Bearer';
  const lastsMs = Number(expires_in) > 0 ? Number(expires_in) * 1000 - marginMs : Infinity;
  return { text: `${type} ${access_token}`, endsAtMs: Date.now() + lastsMs };
}
