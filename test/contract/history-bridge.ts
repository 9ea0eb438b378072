/**
 * ClickHouse's HTTP interface on the embedded engine, as far as `@clickhouse/client` uses it: lets the contract run over the
 * wire where no ClickHouse server is at hand. Run as a program: `node history-bridge.ts <folder> <password> [port]`;
 * prints its port.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { Session } from 'chdb';

const [folder = '', password = '', port = '0'] = process.argv.slice(2);
const session = new Session(folder);
let turn: Promise<void> = Promise.resolve();

interface Request {
  readonly statement: string;
  readonly database: string;
  readonly parameters: Readonly<Record<string, string>>;
}

const server = createServer((request, response) => {
  turn = turn.then(() => answer(request, response));
});

server.listen(Number(port), '127.0.0.1', () => console.log((server.address() as AddressInfo).port));

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const expected = `Basic ${Buffer.from(`tocsin:${password}`).toString('base64')}`;
  if (request.headers.authorization !== expected) {
    fail(response, 'Code: 516. DB::Exception: tocsin: Authentication failed. (AUTHENTICATION_FAILED)');
    return;
  }
  const { statement, database, parameters } = await read(request);
  try {
    await session.queryAsync(`USE ${database}`);
    const result =
      Object.keys(parameters).length > 0
        ? await session.queryBindAsync(statement, parameters)
        : await session.queryAsync(statement);
    response.end(result.bytes());
  } catch (error) {
    fail(response, error instanceof Error ? error.message : String(error));
  }
}

/** Statement and parameters come in the URL, in a form, or the statement is the body; what remains of the body are rows. */
async function read(request: IncomingMessage): Promise<Request> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const fields = new Map(url.searchParams);
  const body = await buffer(request);
  let text = body.toString('utf8');
  const type = request.headers['content-type'] ?? '';
  if (type.startsWith('multipart/form-data')) {
    const form = await new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData();
    for (const [name, value] of form)
      fields.set(name, typeof value === 'string' ? value : await value.text());
    text = '';
  }
  const query = fields.get('query');
  const parameters: Record<string, string> = {};
  for (const [name, value] of fields) {
    if (name.startsWith('param_')) parameters[name.slice('param_'.length)] = unescapeTsv(value);
  }
  return {
    statement: query === undefined ? text : `${query}\n${text}`,
    database: fields.get('database') ?? 'default',
    parameters,
  };
}

function fail(response: ServerResponse, message: string): void {
  response.writeHead(500, { 'content-type': 'text/plain' }).end(message);
}

/** Takes back the escaping of parameters on the wire, which the engine's own binding does again. */
function unescapeTsv(text: string): string {
  const plain: Record<string, string> = { t: '\t', n: '\n', r: '\r', b: '\b', f: '\f', '0': '\0' };
  return text.replace(/\\(.)/g, (_match, char: string) => plain[char] ?? char);
}
