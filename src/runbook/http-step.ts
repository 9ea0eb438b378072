import { readFile } from 'node:fs/promises';
import { formatDuration } from '../alert/index.ts';
import { TocsinError, type Effect } from '../engine/index.ts';
import type { HttpStepEffect, RunbookStep } from '../incident/index.ts';

const maxBodyBytes = 4096;

/** What the fact of an HTTP step says: the answer's status, whatever it is, and the first 4 KiB of its body. */
export type HttpStepResult = NonNullable<RunbookStep['response']>;

/**
 * Makes the request of an HTTP step, once and without following redirects (a redirect would leave the allowed hosts).
 * The header `Idempotency-Key` is the effect's id: the same when a crash made it uncertain whether the request was made. Rejects
 * with TOC_STEP_FAILED when no answer came in time.
 */
export async function carryOutHttpStep(effect: Effect, stop: AbortSignal): Promise<HttpStepResult> {
  const { method, url, headers, body, timeoutMs, authorization } = (effect as HttpStepEffect).payload;
  const credentials = authorization
    ? { Authorization: `${authorization.type} ${await readCredentials(authorization.credentialsFile)}` }
    : {};
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(url, {
      method,
      headers: { ...headers, ...credentials, 'Idempotency-Key': effect.id, 'User-Agent': 'Tocsin' },
      redirect: 'manual',
      signal: AbortSignal.any([stop, timeout]),
      ...(method === 'GET' || method === 'HEAD' || body === '' ? {} : { body }),
    });
    return { status: response.status, body: await readStart(response) };
  } catch (cause) {
    const why = timeout.aborted
      ? `no answer within ${formatDuration(timeoutMs)}`
      : 'the server could not be reached';
    throw new TocsinError('TOC_STEP_FAILED', `${method} ${url}: ${why}`, { cause });
  }
}

/** Reads no more than is kept, however long the answer is. */
async function readStart(response: Response): Promise<string> {
  if (!response.body) return '';
  const reader = response.body.getReader();
  const chunks: Uint8Array[] = [];
  for (let size = 0; size < maxBodyBytes;) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    size += value.byteLength;
  }
  await reader.cancel();
  return new TextDecoder().decode(Buffer.concat(chunks).subarray(0, maxBodyBytes));
}

async function readCredentials(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (cause) {
    throw new TocsinError('TOC_STEP_FAILED', `the credentials file ${file} cannot be read`, { cause });
  }
}
