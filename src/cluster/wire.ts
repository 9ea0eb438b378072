import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import { decode, encode, TocsinError, type Checkpoint } from '../engine/index.ts';
import { frame, unframe } from './frames.ts';
import { Agent, request } from './http.ts';
import { helloReplySchema, type Hello, type HelloReply } from './standing.ts';

/** Paths below the cluster's address. All are POST; bodies are MessagePack, but for those of `entries` and `checkpoint`, which are frames. */
export const paths = {
  hello: '/cluster/hello',
  entries: '/cluster/entries',
  checkpoint: '/cluster/checkpoint',
  ask: '/cluster/ask',
} as const;

export interface EntriesRequest {
  readonly followerId: string;
  /** Of the leader's epoch; another leader answers 409. */
  readonly epochId: string;
  /** The first that is asked for. Who asks has everything before it on disk. */
  readonly fromPosition: number;
}

export interface Question {
  readonly name: string;
  readonly message: unknown;
}

export interface Answer {
  readonly result: unknown;
  /** Everything that the answer speaks of lies at or before this position of the log. */
  readonly position: number;
}

/** Why a member did not answer: its process is gone for sure, it does not answer in time, or it is not what the caller takes it for. */
export class NoAnswer extends Error {
  readonly why: 'gone' | 'silent' | 'changed' | 'trimmed';

  constructor(why: NoAnswer['why'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.why = why;
  }
}

export interface Call {
  readonly address: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** Calls other members. What fails rejects with NoAnswer. */
export class Caller {
  readonly #agent = new Agent({ keepAlive: true });
  readonly #token: string | null;

  constructor(token: string | null) {
    this.#token = token;
  }

  close(): void {
    this.#agent.destroy();
  }

  async hello(call: Call, hello: Hello): Promise<HelloReply> {
    return helloReplySchema.parse(await this.#call(call, paths.hello, hello));
  }

  async ask(call: Call, question: Question): Promise<Answer> {
    const answer = (await this.#call(call, paths.ask, question)) as Answer | { readonly error: AskError };
    if ('error' in answer) throw new TocsinError(answer.error.code, answer.error.message);
    return answer;
  }

  async entries(call: Call, wanted: EntriesRequest): Promise<Uint8Array[]> {
    return this.#guard(call, async () => {
      const found: Uint8Array[] = [];
      for await (const bytes of unframe(await this.#post(call, paths.entries, wanted))) found.push(bytes);
      return found;
    });
  }

  /** The leader's last checkpoint; null when it has none. */
  async checkpoint(call: Call): Promise<Checkpoint | null> {
    return this.#guard(call, async () => {
      const pieces = unframe(await this.#post(call, paths.checkpoint, {}));
      const first = await pieces.next();
      if (first.done) return null;
      const head = decode(first.value) as Pick<Checkpoint, 'position' | 'timeMs'>;
      const rows: Checkpoint['rows'][number][] = [];
      for await (const bytes of pieces) rows.push(...(decode(bytes) as Checkpoint['rows']));
      return { ...head, rows };
    });
  }

  #call(call: Call, path: string, body: unknown): Promise<unknown> {
    return this.#guard(call, async () => {
      const parts: Uint8Array[] = [];
      for await (const part of await this.#post(call, path, body)) parts.push(part);
      return decode(Buffer.concat(parts));
    });
  }

  async #post(
    { address, timeoutMs, signal }: Call,
    path: string,
    body: unknown,
  ): Promise<AsyncIterable<Uint8Array>> {
    const limit = AbortSignal.timeout(timeoutMs);
    const answer = await post(`http://${address}${path}`, encode(body), {
      agent: this.#agent,
      headers: {
        'content-type': contentType,
        ...(this.#token === null ? {} : { authorization: `Bearer ${this.#token}` }),
      },
      signal: signal ? AbortSignal.any([limit, signal]) : limit,
    });
    if (answer.statusCode === 200) return answer;
    answer.resume();
    const why = answer.statusCode === 409 ? 'changed' : answer.statusCode === 410 ? 'trimmed' : 'silent';
    throw new NoAnswer(why, `${address} answers ${answer.statusCode}`);
  }

  async #guard<T>({ address }: Call, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof NoAnswer) throw error;
      throw new NoAnswer(isGone(error) ? 'gone' : 'silent', `${address} does not answer`, { cause: error });
    }
  }
}

export interface AskError {
  readonly code: TocsinError['code'];
  readonly message: string;
}

export const contentType = 'application/x-msgpack';

/** Rows of a checkpoint in one piece. */
const rowsAPiece = 1000;

export function* checkpointFrames({ position, timeMs, rows }: Checkpoint): Generator<Uint8Array> {
  yield* frame(encode({ position, timeMs }));
  for (let at = 0; at < rows.length; at += rowsAPiece) yield* frame(encode(rows.slice(at, at + rowsAPiece)));
}

/**
 * INVARIANT: a connection that the other side closed while nothing went over it says nothing of the other side. A process that stood still
 * finds only such ones when it goes on: it must hear of its successor, and not take itself for the last one left.
 */
async function post(url: string, body: Uint8Array, options: RequestOptions): Promise<IncomingMessage> {
  for (;;) {
    const asked = request(url, { ...options, method: 'POST' });
    try {
      return await answerTo(asked, body);
    } catch (error) {
      if (!asked.reusedSocket || options.signal?.aborted) throw error;
    }
  }
}

function answerTo(asked: ClientRequest, body: Uint8Array): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    asked.on('response', resolve);
    asked.on('error', reject);
    asked.end(body);
  });
}

/** Nobody listens there, or the name is not known any more. */
function isGone(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const errors = error instanceof AggregateError ? error.errors : [error];
  return errors.every(
    (cause: unknown) => cause instanceof Error && 'code' in cause && goneCodes.has(String(cause.code)),
  );
}

const goneCodes = new Set(['ECONNREFUSED', 'ENOTFOUND']);
