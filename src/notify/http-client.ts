import type { Response } from 'undici';
import { formatDuration, plainText } from '../alert/index.ts';
import { TocsinError } from '../engine/index.ts';
import type { HttpConfig } from './config-http.ts';
import { Connections } from './connections.ts';
import { TokenSource } from './oauth2.ts';
import { RetryAfter } from './retry.ts';
import { readSecret } from './secret-file.ts';

export interface HttpRequest {
  readonly url: string;
  readonly method?: 'POST' | 'PUT';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | null;
}

export interface HttpLimits {
  /** For one attempt. */
  readonly timeoutMs: number;
  readonly stop: AbortSignal;
}

/** What a receiver answered. */
export interface HttpAnswer {
  readonly status: number;
  /** The first 64 KiB of the body. */
  readonly text: string;
}

const maxAnswerLength = 65_536;

/** Speaks HTTP to a receiver as its `http_config` says. */
export class HttpClient {
  readonly #config: HttpConfig;
  readonly #connections: Connections;
  readonly #tokens: TokenSource | null;

  constructor(config: HttpConfig) {
    this.#config = config;
    this.#connections = new Connections(config);
    this.#tokens = config.oauth2 ? new TokenSource(config.oauth2) : null;
  }

  /**
   * Sends a request and takes 2xx for an answer. 429, 5xx and the codes of `retryCodes` are tried again, not before the time that
   * `Retry-After` names: they reject with a `RetryAfter`; so does (as TOC_NOTIFY_FAILED) what gave no answer. Any other answer is a
   * refusal, TOC_NOTIFY_REFUSED. `explain` finds in an answer what is wrong; unless given, its text says it.
   */
  async send(
    request: HttpRequest,
    limits: HttpLimits,
    {
      retryCodes = [],
      explain,
    }: { readonly retryCodes?: readonly number[]; explain?: (answer: HttpAnswer) => string } = {},
  ): Promise<HttpAnswer> {
    const response = await this.#request(request, limits);
    const { status, ok } = response;
    const answer: HttpAnswer = { status, text: await firstOf(response) };
    if (ok) return answer;
    if (status === 401) this.#tokens?.forget();
    const complaint = plainText(explain?.(answer) || answer.text.slice(0, 1024), 200);
    // The URL may hold a secret: it is not repeated.
    const message = `the receiver answered ${status}${complaint === '' ? '' : `: ${complaint}`}`;
    if (status === 429 || status >= 500 || retryCodes.includes(status))
      throw new RetryAfter(message, retryAfterMs(response.headers.get('Retry-After'), Date.now()));
    throw new TocsinError('TOC_NOTIFY_REFUSED', message);
  }

  async #request(request: HttpRequest, { timeoutMs, stop }: HttpLimits): Promise<Response> {
    const timeout = AbortSignal.timeout(timeoutMs);
    const signal = AbortSignal.any([stop, timeout]);
    const headers = { 'User-Agent': 'Tocsin', ...request.headers, ...(await this.#headers(signal)) };
    try {
      return await this.#connections.fetch(request.url, {
        method: request.method ?? 'POST',
        headers,
        body: request.body,
        redirect: this.#config.follow_redirects ? 'follow' : 'manual',
        signal,
      });
    } catch (cause) {
      const message = timeout.aborted
        ? `the receiver did not answer within ${formatDuration(timeoutMs)}`
        : `the receiver ${stop.aborted ? 'did not answer in time' : 'could not be reached'}`;
      throw new TocsinError('TOC_NOTIFY_FAILED', message, { cause });
    }
  }

  async #headers(signal: AbortSignal): Promise<Record<string, string>> {
    const headers: Record<string, string> = {};
    for (const [name, { values, secrets, files }] of Object.entries(this.#config.http_headers ?? {}))
      headers[name] = [...values, ...secrets, ...(await Promise.all(files.map(readSecret)))].join(', ');
    const authorization = await this.#authorization(signal);
    return authorization === null ? headers : { ...headers, Authorization: authorization };
  }

  async #authorization(signal: AbortSignal): Promise<string | null> {
    const { authorization, basic_auth } = this.#config;
    if (this.#tokens) return this.#tokens.authorization(signal);
    if (authorization) {
      const { type, credentials, credentials_file } = authorization;
      return `${type} ${credentials ?? (await readSecret(credentials_file ?? ''))}`;
    }
    if (!basic_auth) return null;
    const { username, password, password_file } = basic_auth;
    const secret = password ?? (password_file === undefined ? '' : await readSecret(password_file));
    return `Basic ${Buffer.from(`${username}:${secret}`).toString('base64')}`;
  }
}

/** The beginning of the body; empty where it cannot be read. The rest is not waited for. */
async function firstOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of response.body ?? []) {
      chunks.push(chunk as Uint8Array);
      length += (chunk as Uint8Array).length;
      if (length >= maxAnswerLength) break;
    }
  } catch {
    // What was read until then is all that there is to say.
  }
  return Buffer.concat(chunks).subarray(0, maxAnswerLength).toString('utf8');
}

/** `Retry-After` (RFC 9110, 10.2.3) in seconds or as a date; null when it says neither. */
export function retryAfterMs(header: string | null, nowMs: number): number | null {
  if (header === null) return null;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000;
  const dateMs = /^[A-Z][a-z]{2}, /.test(header) ? Date.parse(header) : NaN;
  return Number.isNaN(dateMs) ? null : Math.max(0, dateMs - nowMs);
}
