import { once } from 'node:events';
import type { RequestListener, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { TocsinError } from '../engine/index.ts';
import { parseListen } from './listen-address.ts';

/** Not imported: an import reads every export of the module, which loads a second HTTP client (measured: 19 ms of a start). */
const { createServer } = process.getBuiltinModule('node:http');

/** The addresses at which a process listens. */
export interface Door {
  /** Where the first address answers. */
  readonly url: string;
  /** Answers requests from now on, those first that have come meanwhile. Called again, `answer` takes the place of the one before. */
  open(answer: RequestListener): void;
  /** Resolves once those requests are answered, or cut off, that are under way now; after `graceMs` at the latest. */
  settled(graceMs: number): Promise<void>;
  /** Takes nothing more, and cuts what is still connected. */
  close(): Promise<void>;
}

/** As Fastify has it: longer than the 60 s of most proxies, so that it is they who close. */
const keepAliveTimeoutMs = 72_000;
/** A request that is not whole by then is answered with 408. */
const requestTimeoutMs = 60_000;

/**
 * Listens at each address, `host:port`. Requests wait until `open`: a process that starts refuses nobody, and who comes
 * early is answered a moment later. Rejects with TOC_LISTEN_FAILED when one of the addresses cannot be had.
 */
export async function openDoor(listen: readonly string[]): Promise<Door> {
  const limits = { keepAliveTimeout: keepAliveTimeoutMs, requestTimeout: requestTimeoutMs };
  let answer: RequestListener | null = null;
  const waiting: Parameters<RequestListener>[] = [];
  const underWay = new Set<ServerResponse>();
  const servers: Server[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(
      servers.splice(0).map(
        (server) =>
          new Promise<void>((resolve) => {
            server.close(() => resolve());
            server.closeAllConnections();
          }),
      ),
    );
  };
  try {
    for (const address of listen) {
      const server = createServer(limits, (request, response) => {
        underWay.add(response);
        response.once('close', () => underWay.delete(response));
        if (answer) answer(request, response);
        else waiting.push([request, response]);
      });
      servers.push(server);
      await begin(server, address);
    }
  } catch (error) {
    await close();
    throw error;
  }
  const url = urlOf(servers[0]!);
  return {
    url,
    open(next) {
      answer = next;
      for (const [request, response] of waiting.splice(0)) next(request, response);
    },
    async settled(graceMs) {
      const closed = [...underWay].map((response) => once(response, 'close'));
      const limit = new AbortController();
      await Promise.race([
        Promise.all(closed),
        setTimeout(graceMs, null, { signal: limit.signal }).catch(() => null),
      ]);
      limit.abort();
    },
    close,
  };
}

async function begin(server: Server, listen: string): Promise<void> {
  const address = parseListen(listen);
  if (!address) throw new TocsinError('TOC_LISTEN_FAILED', `${JSON.stringify(listen)} is no host:port`);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      // Without a host Node takes every address, of IPv6 too where the machine has it.
      server.listen(address.host === '' ? { port: address.port } : address, () => {
        server.off('error', reject);
        resolve();
      });
    });
  } catch (cause) {
    throw new TocsinError('TOC_LISTEN_FAILED', `cannot listen on ${listen}`, { cause });
  }
}

function urlOf(server: Server): string {
  const { address, port, family } = server.address() as AddressInfo;
  const host =
    address === '0.0.0.0' || address === '::' ? '127.0.0.1' : family === 'IPv6' ? `[${address}]` : address;
  return `http://${host}:${port}`;
}
