import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip, createZstdCompress } from 'node:zlib';
import type { Session } from 'chdb';
import type { BridgeRequest } from './clickhouse-bridge-request.ts';

/** What the bridge itself has to say no to, in the words of the server. */
export class BridgeError extends Error {
  readonly status: number;
  readonly code: number;

  constructor(status: number, code: number, message: string) {
    super(code === 0 ? message : `Code: ${code}. DB::Exception: ${message}`);
    this.status = status;
    this.code = code;
  }
}

export interface Engine {
  readonly session: Session;
  readonly version: string;
}

/**
 * Runs the statement and answers with its result, in pieces as the engine makes them. Rejects with the engine's error
 * while nothing of the answer was sent; later the answer ends with the exception, as the server's does.
 */
export async function answerInto(
  response: ServerResponse,
  asked: BridgeRequest,
  engine: Engine,
): Promise<void> {
  const chunks = run(asked, engine.session);
  try {
    await answerWith(response, chunks, asked, engine);
  } finally {
    // Who asked may be gone before its end: the engine has room for one result at a time.
    await chunks.return();
  }
}

async function answerWith(
  response: ServerResponse,
  chunks: AsyncGenerator<Buffer, void>,
  asked: BridgeRequest,
  engine: Engine,
): Promise<void> {
  let first = await chunks.next();
  if (asked.isBuffered)
    first = { done: false, value: Buffer.concat([first.value ?? empty, ...(await collect(chunks))]) };
  const tag = randomBytes(8).toString('hex');
  response.writeHead(200, {
    'content-type': 'text/plain; charset=UTF-8',
    'x-clickhouse-query-id': asked.queryId,
    'x-clickhouse-format': /\bFORMAT\s+(\w+)\s*;?\s*$/i.exec(asked.statement)?.[1] ?? asked.defaultFormat,
    'x-clickhouse-timezone': 'UTC',
    'x-clickhouse-exception-tag': tag,
    ...(asked.encoding === null ? {} : { 'content-encoding': asked.encoding }),
  });
  const whole = Readable.from(
    withException(first.done === true ? null : first.value, chunks, { tag, version: engine.version }),
  );
  if (asked.encoding === null) await pipeline(whole, response);
  else await pipeline(whole, asked.encoding === 'gzip' ? createGzip() : createZstdCompress(), response);
}

const empty = Buffer.alloc(0);

async function* run(
  { statement, defaultFormat: format }: BridgeRequest,
  session: Session,
): AsyncGenerator<Buffer, void> {
  // The engine streams what reads, and nothing else.
  if (!/^[\s(]*(SELECT|WITH)\b/i.test(statement)) {
    const result = await session.queryAsync(statement, { format });
    const bytes = result.bytes();
    if (bytes.length > 0) yield Buffer.from(bytes);
    return;
  }
  const stream = session.queryStream(statement, { format });
  try {
    for await (const chunk of stream) yield Buffer.from(chunk.raw());
  } finally {
    stream.cancel();
  }
}

async function collect(chunks: AsyncIterable<Buffer>): Promise<Buffer[]> {
  const all: Buffer[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return all;
}

/** The pieces; when the engine fails on the way, the block with which the server says so from 25.11 on. */
async function* withException(
  first: Buffer | null,
  rest: AsyncIterable<Buffer>,
  { tag, version }: { readonly tag: string; readonly version: string },
): AsyncGenerator<Buffer> {
  if (first) yield first;
  try {
    yield* rest;
  } catch (error) {
    const text = `${withVersion(textOf(error), version)}\n`;
    yield Buffer.from(
      `\r\n__exception__\r\n${tag}\r\n${text}${Buffer.byteLength(text)} ${tag}\r\n__exception__\r\n`,
    );
  }
}

/** Answers with an exception as the server writes it. Does nothing where the answer has begun. */
export function fail(response: ServerResponse, error: unknown, version: string): void {
  if (response.headersSent) return;
  const text = textOf(error);
  const code = Number(/^Code: (\d+)\./.exec(text)?.[1] ?? 0);
  const status = error instanceof BridgeError ? error.status : statusOf(text);
  response.writeHead(status, {
    'content-type': 'text/plain; charset=UTF-8',
    ...(code === 0 ? {} : { 'x-clickhouse-exception-code': String(code) }),
    ...(status === 401 ? { 'www-authenticate': 'Basic realm="ClickHouse server HTTP API"' } : {}),
  });
  response.end(`${code === 0 ? text : withVersion(text, version)}\n`);
}

/** What the engine said. What does not come from it is told as the server tells of an exception of C++'s library. */
export function textOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof BridgeError || /^Code: \d+\./.test(message)) return message;
  return `Code: 1001. DB::Exception: ${message}. (STD_EXCEPTION)`;
}

function withVersion(text: string, version: string): string {
  return `${text} (version ${version} (official build))`;
}

/** HTTP status of an exception, by its name; after `exceptionCodeToHTTPStatus` of the server's sources. */
function statusOf(text: string): number {
  const name = /\(([A-Z][A-Z0-9_]+)\)\s*$/.exec(text)?.[1] ?? '';
  if (name === 'REQUIRED_PASSWORD') return 401;
  if (/^(UNKNOWN_USER|WRONG_PASSWORD|AUTHENTICATION_FAILED|SET_NON_GRANTED_ROLE)$/.test(name)) return 403;
  if (badRequests.test(name)) return 400;
  if (
    /^UNKNOWN_(TABLE|FUNCTION|IDENTIFIER|TYPE|STORAGE|DATABASE|SETTING|FORMAT|DATABASE_ENGINE|ROLE)$/.test(
      name,
    )
  )
    return 404;
  if (name === 'QUERY_IS_TOO_LARGE') return 413;
  if (name === 'NOT_IMPLEMENTED') return 501;
  if (/^(SOCKET_TIMEOUT|CANNOT_OPEN_FILE|CANNOT_SCHEDULE_TASK)$/.test(name)) return 503;
  if (name === 'TIMEOUT_EXCEEDED') return 408;
  return 500;
}

const badRequests =
  /^(BAD_ARGUMENTS|CANNOT_COMPILE_REGEXP|CANNOT_PARSE_\w+|DUPLICATE_COLUMN|ILLEGAL_COLUMN|UNKNOWN_ELEMENT_IN_AST|UNKNOWN_TYPE_OF_AST_NODE|TOO_DEEP_AST|TOO_BIG_AST|UNEXPECTED_AST_STRUCTURE|VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE|SYNTAX_ERROR|INCORRECT_DATA|TYPE_MISMATCH)$/;
