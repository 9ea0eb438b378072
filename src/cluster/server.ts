import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { decode, encode, TocsinError, type Checkpoint } from '../engine/index.ts';
import { frame } from './frames.ts';
import { createServer } from './http.ts';
import { helloSchema, type Hello, type HelloReply } from './standing.ts';
import {
  checkpointFrames,
  contentType,
  paths,
  type Answer,
  type EntriesRequest,
  type Question,
} from './wire.ts';

/** What a member answers to others. */
export interface Answers {
  /** `host` is the machine that it comes from. */
  hello(hello: Hello, host: string): HelloReply;
  /** Waits up to a second where there is nothing yet. 'changed' where this member does not lead that epoch; 'trimmed' where it has the entries no more. */
  entries(wanted: EntriesRequest, gone: AbortSignal): Promise<readonly Uint8Array[] | 'changed' | 'trimmed'>;
  checkpoint(): Promise<Checkpoint | null>;
  /** Rejects with the coded error of what was asked. */
  ask(question: Question): Promise<Answer>;
}

export interface ClusterServer {
  /** Takes nothing more, and cuts what is still connected. */
  close(): Promise<void>;
}

/** A request carries a report of any size that the API takes, and a little more. */
const bodyLimitBytes = 256 * 1024 * 1024;

/** Answers other members at `host:port`. Rejects with TOC_LISTEN_FAILED when the address cannot be had. */
export async function serveCluster(
  answers: Answers,
  { host, port }: { readonly host: string; readonly port: number },
  token: string | null,
): Promise<ClusterServer> {
  const server = createServer((request, response) => {
    answer(answers, token, request, response).catch(() => response.destroy());
  });
  try {
    await listen(server, host, port);
  } catch (cause) {
    throw new TocsinError('TOC_LISTEN_FAILED', `cannot listen on ${host}:${port} for the cluster`, { cause });
  }
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    // Without a host Node takes every address, of IPv6 too where the machine has it.
    server.listen(host === '' ? { port } : { host, port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Rejects when the request is none of a member. */
async function answer(
  answers: Answers,
  token: string | null,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (token !== null && !isSame(request.headers.authorization ?? '', `Bearer ${token}`))
    return end(response, 401);
  const body = decode(await readBody(request));
  switch (request.url) {
    case paths.hello: {
      const host = request.socket.remoteAddress ?? '';
      return end(response, 200, encode(answers.hello(helloSchema.parse(body), host)));
    }
    case paths.ask:
      return end(response, 200, encode(await askedOf(answers, body as Question)));
    case paths.entries: {
      const gone = new AbortController();
      response.once('close', () => {
        if (!response.writableFinished) gone.abort();
      });
      const found = await answers.entries(body as EntriesRequest, gone.signal);
      if (found === 'changed') return end(response, 409);
      if (found === 'trimmed') return end(response, 410);
      return end(response, 200, Buffer.concat(found.flatMap(frame)));
    }
    case paths.checkpoint: {
      const checkpoint = await answers.checkpoint();
      response.writeHead(200, { 'content-type': contentType });
      return pipeline(Readable.from(checkpoint ? checkpointFrames(checkpoint) : []), response);
    }
    default:
      return end(response, 404);
  }
}

async function askedOf(answers: Answers, question: Question): Promise<unknown> {
  try {
    return await answers.ask(question);
  } catch (error) {
    if (!(error instanceof TocsinError)) throw error;
    return { error: { code: error.code, message: error.message } };
  }
}

async function readBody(request: IncomingMessage): Promise<Uint8Array> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > bodyLimitBytes) throw new RangeError(`a request has more than ${bodyLimitBytes} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function end(response: ServerResponse, status: number, body?: Uint8Array): void {
  response.writeHead(status, { 'content-type': contentType, 'content-length': body?.length ?? 0 });
  response.end(body);
}

function isSame(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
