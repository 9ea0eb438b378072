import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib';
import { BridgeError } from './clickhouse-bridge-answer.ts';

/** What a request asks the engine for. */
export interface BridgeRequest {
  readonly statement: string;
  readonly database: string;
  readonly queryId: string;
  /** Values for the `{name:Type}` places of the statement, escaped as they came. */
  readonly parameters: ReadonlyMap<string, string>;
  /** Settings of the engine, for this statement alone. */
  readonly settings: readonly (readonly [name: string, value: string])[];
  /** Format of a result whose statement names none. */
  readonly defaultFormat: string;
  /** The answer is to be compressed in this way. */
  readonly encoding: 'gzip' | 'zstd' | null;
  /** The answer begins when the statement has ended. */
  readonly isBuffered: boolean;
}

/** Parameters of the HTTP layer that are no settings of the engine and that change nothing here. */
const ofTheWire = new Set([
  'query',
  'query_id',
  'database',
  'default_format',
  'user',
  'password',
  'quota_key',
  'client_protocol_version',
  'buffer_size',
  'enable_http_compression',
  'wait_end_of_query',
  'send_progress_in_http_headers',
  'http_headers_progress_interval_ms',
  'http_response_buffer_size',
]);

const notServed = ['session_id', 'session_timeout', 'session_check', 'role', 'compress', 'decompress'];

/** Reads URL, headers and body. Throws `BridgeError` where something is asked that the bridge does not serve. */
export async function readRequest(request: IncomingMessage): Promise<BridgeRequest> {
  const { searchParams } = new URL(request.url ?? '/', 'http://localhost');
  const asked = notServed.filter((name) => searchParams.has(name));
  if (asked.length > 0) {
    throw new BridgeError(501, 48, `The bridge does not serve ${asked.join(', ')}. (NOT_IMPLEMENTED)`);
  }
  const fields = new Map<string, string>(searchParams);
  const body = await readBody(request, fields);
  const query = fields.get('query');
  const statement = query === undefined ? body : body === '' ? query : `${query}\n${body}`;
  if (request.method !== 'POST' && !/^\s*(SELECT|WITH|SHOW|DESCRIBE|EXISTS|EXPLAIN)\b/i.test(statement)) {
    throw new BridgeError(
      500,
      164,
      'Cannot execute query in readonly mode. For queries over HTTP, method GET implies readonly. You should use method POST for modifying queries. (READONLY)',
    );
  }
  const parameters = new Map<string, string>();
  const settings: [string, string][] = [];
  for (const [name, value] of fields) {
    if (name.startsWith('param_')) parameters.set(wordOf(name).slice('param_'.length), value);
    else if (!ofTheWire.has(name)) settings.push([wordOf(name), value]);
  }
  const taken = /\b(gzip|zstd)\b/.exec(request.headers['accept-encoding'] ?? '')?.[1] as
    | 'gzip'
    | 'zstd'
    | undefined;
  return {
    statement,
    database: fields.get('database') ?? String(request.headers['x-clickhouse-database'] ?? 'default'),
    queryId: fields.get('query_id') ?? crypto.randomUUID(),
    parameters,
    settings,
    defaultFormat:
      fields.get('default_format') ?? String(request.headers['x-clickhouse-format'] ?? 'TabSeparated'),
    encoding: fields.get('enable_http_compression') === '1' ? (taken ?? null) : null,
    isBuffered: fields.get('wait_end_of_query') === '1',
  };
}

/** The body as text. A form's parts are added to `fields`, and nothing of it is left. */
async function readBody(request: IncomingMessage, fields: Map<string, string>): Promise<string> {
  const body = await buffer(decompressed(request));
  const type = request.headers['content-type'] ?? '';
  if (!type.startsWith('multipart/form-data')) return decode(body);
  const form = await new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData();
  for (const [name, value] of form) {
    if (typeof value !== 'string') {
      throw new BridgeError(501, 48, 'The bridge does not serve external tables. (NOT_IMPLEMENTED)');
    }
    fields.set(name, value);
  }
  return '';
}

function decompressed(request: IncomingMessage): Readable {
  const encoding = request.headers['content-encoding'];
  if (encoding === undefined) return request;
  const decoders: Record<string, () => NodeJS.ReadWriteStream> = {
    gzip: createGunzip,
    deflate: createInflate,
    br: createBrotliDecompress,
    zstd: createZstdDecompress,
  };
  const decoder = decoders[encoding];
  if (!decoder) {
    throw new BridgeError(501, 48, `Unknown compression method ${encoding}. (NOT_IMPLEMENTED)`);
  }
  const stream = decoder();
  request.on('error', (error) => stream.emit('error', error));
  return request.pipe(stream) as unknown as Readable;
}

/** The engine's binding takes statements as text, so a body that is no UTF-8 cannot go through unchanged. */
function decode(body: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
  } catch {
    throw new BridgeError(501, 48, 'The bridge does not serve bodies that are not UTF-8. (NOT_IMPLEMENTED)');
  }
}

function wordOf(name: string): string {
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return name;
  throw new BridgeError(404, 115, `Unknown setting '${name}'. (UNKNOWN_SETTING)`);
}
