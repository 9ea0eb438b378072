import { TocsinError, type Effect } from '../engine/index.ts';
import type { HttpStepEffect } from '../incident/index.ts';
import type { HttpStepResult } from './runs.ts';

const longestBody = 4096;

/**
 * Makes the request of an HTTP step, once and without following redirects (a redirect would leave the allowed hosts).
 * `Idempotency-Key` is the effect's id. Rejects with TOC_STEP_FAILED when no answer came in time.
 */
export async function carryOutHttpStep(effect: Effect, stop: AbortSignal): Promise<HttpStepResult> {
  const { method, url, headers, body, timeoutMs } = (effect as HttpStepEffect).payload;
  try {
    const response = await fetch(url, {
      method,
      headers: { ...headers, 'Idempotency-Key': effect.id },
      redirect: 'manual',
      signal: AbortSignal.any([stop, AbortSignal.timeout(timeoutMs)]),
      ...(method === 'GET' || method === 'HEAD' || body === '' ? {} : { body }),
    });
    const text = await response.text();
    return { status: response.status, body: text.slice(0, longestBody) };
  } catch (cause) {
    throw new TocsinError('TOC_STEP_FAILED', `${method} ${url}: no answer within ${timeoutMs} ms`, { cause });
  }
}
