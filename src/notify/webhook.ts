import { readFile } from 'node:fs/promises';
import { formatDuration } from '../alert/index.ts';
import { TocsinError } from '../engine/index.ts';
import type { WebhookConfig } from './config.ts';
import { idempotencyKey } from './idempotency-key.ts';
import type { Integration } from './integration.ts';
import { plainText } from '../alert/index.ts';
import { RetryAfter } from './retry.ts';
import { webhookBody } from './wire.ts';

export interface WebhookOptions {
  readonly name: string;
  readonly config: WebhookConfig;
  readonly externalUrl: string;
}

/**
 * Alertmanager's webhook. 2xx is delivered; 429 and 5xx are tried again, not before the time that `Retry-After` names; any other answer
 * is a refusal. The header `Idempotency-Key` is the page's id: the same in each attempt, and after a crash.
 */
export function createWebhook({ name, config, externalUrl }: WebhookOptions): Integration {
  return {
    name,
    sendResolved: config.send_resolved,
    async send(id, notification, stop) {
      const response = await post(config, stop, {
        body: JSON.stringify(webhookBody(id, notification, config.max_alerts, externalUrl)),
        headers: {
          ...(await authorization(config)),
          'Content-Type': 'application/json',
          'User-Agent': 'Tocsin',
          'Idempotency-Key': idempotencyKey(id),
        },
      });
      if (response.ok) {
        await response.body?.cancel();
        return;
      }
      // The URL may hold a secret: it is not repeated.
      const message = `the receiver answered ${response.status}${await complaint(response)}`;
      if (response.status === 429 || response.status >= 500)
        throw new RetryAfter(message, retryAfterMs(response.headers.get('Retry-After'), Date.now()));
      throw new TocsinError('TOC_NOTIFY_REFUSED', message);
    },
  };
}

async function post(config: WebhookConfig, stop: AbortSignal, init: RequestInit): Promise<Response> {
  const url = config.url ?? (await readSecret(config.url_file ?? ''));
  const timeout = AbortSignal.timeout(config.timeout);
  try {
    return await fetch(url, {
      ...init,
      method: 'POST',
      redirect: config.http_config.follow_redirects ? 'follow' : 'manual',
      signal: AbortSignal.any([stop, timeout]),
    });
  } catch (cause) {
    const message = timeout.aborted
      ? `the receiver did not answer within ${formatDuration(config.timeout)}`
      : `the receiver ${stop.aborted ? 'did not answer in time' : 'could not be reached'}`;
    throw new TocsinError('TOC_NOTIFY_FAILED', message, { cause });
  }
}

async function authorization({
  http_config: { authorization, basic_auth },
}: WebhookConfig): Promise<Record<string, string>> {
  if (authorization) {
    const { type, credentials, credentials_file } = authorization;
    return { Authorization: `${type} ${credentials ?? (await readSecret(credentials_file ?? ''))}` };
  }
  if (!basic_auth) return {};
  const { username, password, password_file } = basic_auth;
  const secret = password ?? (password_file === undefined ? '' : await readSecret(password_file));
  return { Authorization: `Basic ${Buffer.from(`${username}:${secret}`).toString('base64')}` };
}

async function readSecret(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (cause) {
    throw new TocsinError('TOC_NOTIFY_FAILED', `the secret file ${file} cannot be read`, { cause });
  }
}

/** What the receiver says about it, in one short line; empty when it says nothing. */
async function complaint(response: Response): Promise<string> {
  try {
    const reader = response.body?.getReader();
    const first = await reader?.read();
    await reader?.cancel();
    const text = plainText(new TextDecoder().decode(first?.value?.subarray(0, 1024)), 200);
    return text === '' ? '' : `: ${text}`;
  } catch {
    return '';
  }
}

/** `Retry-After` (RFC 9110, 10.2.3) in seconds or as a date; null when it says neither. */
export function retryAfterMs(header: string | null, nowMs: number): number | null {
  if (header === null) return null;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000;
  const dateMs = /^[A-Z][a-z]{2}, /.test(header) ? Date.parse(header) : NaN;
  return Number.isNaN(dateMs) ? null : Math.max(0, dateMs - nowMs);
}
