import { readFile } from 'node:fs/promises';
import { TocsinError } from '../engine/index.ts';

export interface ApiOptions {
  readonly url: string;
  readonly tokenFile?: string;
}

/** Nothing that is asked here takes that long. */
const patienceMs = 60_000;

/**
 * Asks a running server. Rejects with TOC_API_UNREACHABLE when nothing answers at `url` within a minute, with TOC_API_BUSY when it asks to
 * come again, and with TOC_API_REFUSED and the server's own words when it answers with an error.
 */
export async function callApi(options: ApiOptions, path: string, init: RequestInit = {}): Promise<unknown> {
  const headers = new Headers(init.headers);
  if (options.tokenFile)
    headers.set('Authorization', `Bearer ${(await readFile(options.tokenFile, 'utf8')).trim()}`);
  let response: Response;
  let text: string;
  try {
    response = await fetch(new URL(path, options.url), {
      ...init,
      headers,
      signal: AbortSignal.timeout(patienceMs),
    });
    text = await response.text();
  } catch (cause) {
    throw new TocsinError('TOC_API_UNREACHABLE', `no Tocsin server answers at ${options.url}`, { cause });
  }
  if (!response.ok) {
    const code = response.status === 503 || response.status === 429 ? 'TOC_API_BUSY' : 'TOC_API_REFUSED';
    throw new TocsinError(code, `${response.status}: ${messageIn(text)}`);
  }
  return text === '' ? null : (JSON.parse(text) as unknown);
}

function messageIn(text: string): string {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === 'object' && body !== null && 'message' in body) return String(body.message);
  } catch {
    return text;
  }
  return text;
}
