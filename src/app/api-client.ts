import { readFile } from 'node:fs/promises';
import { TocsinError } from '../engine/index.ts';

export interface ApiOptions {
  readonly url: string;
  readonly tokenFile?: string;
}

/**
 * Asks a running server. Rejects with TOC_API_UNREACHABLE when nothing answers at `url`,
 * and with TOC_API_REFUSED and the server's own words when it answers with an error.
 */
export async function callApi(options: ApiOptions, path: string, init: RequestInit = {}): Promise<unknown> {
  const headers = new Headers(init.headers);
  if (options.tokenFile)
    headers.set('Authorization', `Bearer ${(await readFile(options.tokenFile, 'utf8')).trim()}`);
  let response: Response;
  try {
    response = await fetch(new URL(path, options.url), { ...init, headers });
  } catch (cause) {
    throw new TocsinError('TOC_API_UNREACHABLE', `no Tocsin server answers at ${options.url}`, { cause });
  }
  const text = await response.text();
  if (!response.ok) throw new TocsinError('TOC_API_REFUSED', `${response.status}: ${messageIn(text)}`);
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
