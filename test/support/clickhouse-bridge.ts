/**
 * ClickHouse's HTTP interface on the embedded engine (chDB): lets what speaks to a ClickHouse server be tested where none can
 * run. Every answer is the engine's own; a process of its own, so that it can be killed and started again on the same folder:
 *
 *     node test/support/clickhouse-bridge.ts --path <folder> [--port 0] [--user default] [--password '']
 *       [--tls-cert <file> --tls-key <file> [--tls-ca <file>]]
 *
 * It prints one line, `answers at <url>`, once it takes requests.
 *
 * Served, as `@clickhouse/client` uses it: `/ping`; statements by POST in the body, in `query`, or in a form; `param_*`;
 * `database`, `default_format` and every setting of the engine as URL parameters, `insert_deduplication_token` among them; the
 * body as an insert's data; bodies compressed with gzip, deflate, br or zstd; answers in gzip or zstd (`enable_http_compression`);
 * results streamed as the engine makes them; users by Basic, by `X-ClickHouse-User` and `-Key`, by URL parameters, or by the common
 * name of a client certificate; exceptions with the server's status, `X-ClickHouse-Exception-Code` and text, and those in
 * the middle of a result as the server ends it from 25.11 on.
 *
 * Not served, and refused with an exception: sessions (`session_id`), roles, `compress` and `decompress` (the native
 * block format), external tables, GET for anything but reading. What the embedded engine has not got, the engine itself
 * refuses: ON CLUSTER and Replicated tables. `query_id` is given back, but the engine does not know it. Statements run one
 * after the other: the engine's settings and its current database belong to its one connection.
 */
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { Session } from 'chdb';
import { refuseUnknownUser, type Users } from './clickhouse-bridge-access.ts';
import { answerInto, BridgeError, fail, textOf } from './clickhouse-bridge-answer.ts';
import { readRequest, type BridgeRequest } from './clickhouse-bridge-request.ts';

const { values: flags } = parseArgs({
  options: {
    path: { type: 'string' },
    port: { type: 'string', default: '0' },
    user: { type: 'string', default: 'default' },
    password: { type: 'string', default: '' },
    'tls-cert': { type: 'string' },
    'tls-key': { type: 'string' },
    'tls-ca': { type: 'string' },
  },
});
if (flags.path === undefined) throw new Error('--path is missing');

const session = new Session(flags.path);
const version = (await session.queryAsync('SELECT version()', { format: 'TabSeparated' })).text().trim();
const users: Users = { name: flags.user, password: flags.password };
let turn: Promise<void> = Promise.resolve();

const { 'tls-cert': certFile, 'tls-key': keyFile, 'tls-ca': caFile } = flags;
const server =
  certFile !== undefined && keyFile !== undefined
    ? createHttpsServer(
        {
          cert: readFileSync(certFile),
          key: readFileSync(keyFile),
          ...(caFile === undefined
            ? {}
            : { ca: readFileSync(caFile), requestCert: true, rejectUnauthorized: true }),
        },
        (request, response) => void answer(request, response),
      )
    : createHttpServer((request, response) => void answer(request, response));

server.listen(Number(flags.port), '127.0.0.1', () => {
  const scheme = certFile === undefined ? 'http' : 'https';
  console.log(`answers at ${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`);
});

process.once('SIGTERM', () => {
  server.close();
  server.closeAllConnections();
  void turn.finally(() => session.close());
});

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = new URL(request.url ?? '/', 'http://localhost').pathname;
  if (path === '/ping') {
    response.end('Ok.\n');
    return;
  }
  try {
    if (path !== '/') throw new BridgeError(404, 0, `There is no handle ${path}`);
    refuseUnknownUser(request, users);
    const asked = await readRequest(request);
    const ran = turn.then(() => run(asked, response));
    turn = ran.catch(() => undefined);
    await ran;
  } catch (error) {
    fail(response, error, version);
  }
}

async function run(asked: BridgeRequest, response: ServerResponse): Promise<void> {
  if (response.destroyed) return;
  const { settings, parameters } = asked;
  try {
    refuseForeignParameters(asked);
    await session.queryAsync(`USE ${quoteName(asked.database)}`);
    for (const [name, value] of parameters) {
      earlierParameters.add(name);
      await session.queryAsync(`SET param_${name} = ${quoteText(value)}`);
    }
    for (const [name, value] of settings) await session.queryAsync(`SET ${name} = ${quoteText(value)}`);
    await answerInto(response, asked, { session, version });
  } catch (error) {
    if (!response.headersSent) throw error;
    response.destroy(new Error(textOf(error)));
  } finally {
    for (const [name] of settings) await session.queryAsync(`SET ${name} = DEFAULT`).catch(() => undefined);
  }
}

/** The engine can't forget a parameter, so what an earlier request gave must not stand in for what this one lacks. */
const earlierParameters = new Set<string>();

function refuseForeignParameters({ statement, parameters }: BridgeRequest): void {
  for (const name of earlierParameters) {
    if (parameters.has(name) || !new RegExp(`\\{\\s*${name}\\s*:`).test(statement)) continue;
    throw new BridgeError(400, 456, `Substitution \`${name}\` is not set. (UNKNOWN_QUERY_PARAMETER)`);
  }
}

function quoteName(name: string): string {
  return `\`${name.replaceAll(/[\\`]/g, (char) => `\\${char}`)}\``;
}

function quoteText(text: string): string {
  return `'${text.replaceAll(/[\\']/g, (char) => `\\${char}`)}'`;
}
