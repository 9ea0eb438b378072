import { availableParallelism } from 'node:os';
import { createApi, type ApiPorts, type ClusterView } from '../api/index.ts';
import { readToken } from './read-token.ts';
import { webhookFormats } from '../source/index.ts';
import type { TocsinConfig } from './config-schema.ts';
import type { Door } from './door.ts';
import { refuseRequests } from './refuse-requests.ts';

/** How the API is served, beyond what the configuration says. */
export interface WebOptions {
  /** What all paths begin with; empty for none. */
  readonly routePrefix: string;
  /** 0 sets no limit. */
  readonly timeoutMs: number;
  /** 0 or less: the number of CPUs or 8, whichever is larger. Null sets no limit. */
  readonly getConcurrency: number | null;
  readonly cluster: ClusterView;
  readonly alertmanagerVersion: string | null;
}

export const plainWeb: WebOptions = {
  routePrefix: '',
  timeoutMs: 0,
  getConcurrency: null,
  cluster: { status: 'disabled', peers: [] },
  alertmanagerVersion: null,
};

/** How long requests that are under way may take to be answered once the process is told to stop: longer than an append is tried. */
const drainGraceMs = 22_000;

/**
 * Answers at the door from now on. Returns what ends that: what is under way is answered, and what comes is refused until the door
 * itself is closed.
 */
export async function serveApi(
  ports: ApiPorts,
  { server, source }: TocsinConfig,
  { routePrefix, timeoutMs, getConcurrency }: WebOptions,
  door: Door,
): Promise<() => Promise<void>> {
  const { bearer_token_file: token } = server;
  const limit = getConcurrency !== null && getConcurrency > 0 ? getConcurrency : null;
  const api = await createApi(ports, {
    maxBodyBytes: source.max_body_bytes,
    bearerToken: token === undefined ? null : await readToken('server.bearer_token_file', token),
    webhookFormats,
    routePrefix,
    ...(getConcurrency === null
      ? {}
      : { limits: { timeoutMs, getConcurrency: limit ?? Math.max(availableParallelism(), 8) } }),
  });
  await api.ready();
  door.open((request, response) => api.routing(request, response));
  return async () => {
    door.open(refuseRequests(routePrefix));
    await door.settled(drainGraceMs);
    await api.close();
  };
}
