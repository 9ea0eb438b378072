import { readFile } from 'node:fs/promises';
import { TocsinError } from '../engine/index.ts';
import type { WebhookConfig } from './config.ts';
import type { Integration } from './integration.ts';
import { RetryAfter } from './retry.ts';
import { webhookBody } from './wire.ts';

export interface WebhookOptions {
  readonly name: string;
  readonly config: WebhookConfig;
  readonly externalUrl: string;
}

/**
 * Alertmanager's webhook. 2xx is delivered; 429 and 5xx are tried again, later where `Retry-After` says so; any other answer is a
 * refusal. The header `Idempotency-Key` is the page's id: the same in each attempt, and after a crash.
 */
export function createWebhook({ name, config, externalUrl }: WebhookOptions): Integration {
  return {
    name,
    sendResolved: config.send_resolved,
    async send(id, notification, stop) {
      const url = config.url ?? (await readSecret(config.url_file ?? ''));
      const response = await post(url, {
        body: JSON.stringify(webhookBody(id, notification, config.max_alerts, externalUrl)),
        headers: {
          ...(await authorization(config)),
          'Content-Type': 'application/json',
          'User-Agent': 'Tocsin',
          'Idempotency-Key': id,
        },
        signal: AbortSignal.any([stop, AbortSignal.timeout(config.timeout)]),
      });
      await response.body?.cancel();
      if (response.ok) return;
      // The URL may hold a secret: it is not repeated.
      const message = `${name}: the receiver answered ${response.status}`;
      if (response.status === 429 || response.status >= 500)
        throw new RetryAfter(message, retryAfterMs(response.headers.get('Retry-After')));
      throw new TocsinError('TOC_NOTIFY_REFUSED', message);
    },
  };
}

async function post(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, { ...init, method: 'POST', redirect: 'manual' });
  } catch (cause) {
    throw new TocsinError('TOC_NOTIFY_FAILED', 'the receiver could not be reached in time', { cause });
  }
}

async function authorization({
  http_config: { authorization, basic_auth },
}: WebhookConfig): Promise<Record<string, string>> {
  if (authorization) {
    const { type, credentials, credentials_file } = authorization;
    const secret = credentials ?? (credentials_file === undefined ? '' : await readSecret(credentials_file));
    return { Authorization: `${type} ${secret}` };
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

/** `Retry-After` in seconds or as a date; null when it says neither. */
function retryAfterMs(header: string | null): number | null {
  if (header === null) return null;
  if (/^\d+$/.test(header)) return Number(header) * 1000;
  const dateMs = Date.parse(header);
  return Number.isNaN(dateMs) ? null : Math.max(0, dateMs - Date.now());
}
