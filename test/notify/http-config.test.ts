import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer, request as httpRequest, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { certificateFile, keyFile } from './mail-server.ts';
import { startReceiver, status, type ReceiverServer } from './receiver-server.ts';
import { notifierWith, told } from './vendor-scene.ts';

let closing: (() => Promise<unknown>)[];

beforeEach(() => {
  closing = [];
});
afterEach(async () => {
  for (const close of closing) await close();
});

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(
    () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  );
  return (server.address() as AddressInfo).port;
}

async function startHttp(): Promise<ReceiverServer> {
  const server = await startReceiver();
  closing.push(() => server.close());
  return server;
}

const webhook = (url: string, http_config: Record<string, unknown>) =>
  notifierWith('webhook_configs', { url, http_config });

describe('tls_config', () => {
  /** Answers with the name in the client's certificate. */
  async function startTls(requestCert = false): Promise<{ url: string; clients: string[] }> {
    const clients: string[] = [];
    const [key, cert] = await Promise.all([readFile(keyFile), readFile(certificateFile)]);
    const server = createHttpsServer(
      { key, cert, ca: cert, requestCert, rejectUnauthorized: requestCert },
      (request, response) => {
        clients.push((request.socket as TLSSocket).getPeerCertificate()?.subject?.CN?.toString() ?? '');
        response.end();
      },
    );
    const port = await listen(server);
    return { url: `https://127.0.0.1:${port}/`, clients };
  }

  test('a server is believed by the authority that is named, by file or by text', async () => {
    const { url, clients } = await startTls();
    await told(webhook(url, { tls_config: { ca_file: certificateFile } }));
    await told(webhook(url, { tls_config: { ca: await readFile(certificateFile, 'utf8') } }));
    expect(clients).toEqual(['', '']);
  });

  test('another is not, unless that is said not to matter', async () => {
    const { url, clients } = await startTls();
    await expect(told(webhook(url, {}))).rejects.toMatchObject({ code: 'TOC_NOTIFY_FAILED' });
    await expect(
      told(webhook(url, { tls_config: { ca_file: certificateFile, server_name: 'other.example.net' } })),
    ).rejects.toMatchObject({ code: 'TOC_NOTIFY_FAILED' });
    expect(clients).toEqual([]);
    await told(webhook(url, { tls_config: { insecure_skip_verify: true } }));
    expect(clients).toHaveLength(1);
  });

  test('this side shows its certificate, read anew once it is another', async () => {
    const { url, clients } = await startTls(true);
    const folder = await mkdtemp(join(tmpdir(), 'tocsin-tls-'));
    closing.push(() => rm(folder, { recursive: true }));
    const cert_file = join(folder, 'cert.pem');
    await writeFile(cert_file, 'not yet');
    const notifier = webhook(url, { tls_config: { ca_file: certificateFile, cert_file, key_file: keyFile } });
    await expect(told(notifier, {}, 'one')).rejects.toMatchObject({ code: 'TOC_NOTIFY_FAILED' });
    await writeFile(cert_file, await readFile(certificateFile));
    await told(notifier, {}, 'two');
    expect(clients).toEqual(['tocsin test']);
  });
});

describe('proxy_url', () => {
  /** A real forward proxy: requests as they are, and tunnels. */
  async function startProxy(): Promise<{ url: string; asked: string[] }> {
    const asked: string[] = [];
    const proxy = createHttpServer((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      const onward = httpRequest(
        request.url ?? '',
        { method: request.method, headers: request.headers },
        (answer) => {
          response.writeHead(answer.statusCode ?? 500);
          answer.pipe(response);
        },
      );
      request.pipe(onward);
    });
    proxy.on('connect', (request, socket, head) => {
      asked.push(`CONNECT ${String(request.headers['x-proxy'])}`);
      const [host = '', port = ''] = (request.url ?? '').split(':');
      const onward = connect(Number(port), host, () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        onward.write(head);
        onward.pipe(socket);
        socket.pipe(onward);
      });
      onward.on('error', () => socket.destroy());
      socket.on('error', () => onward.destroy());
    });
    return { url: `http://127.0.0.1:${await listen(proxy)}`, asked };
  }

  test('requests over HTTP go through it', async () => {
    const server = await startHttp();
    const proxy = await startProxy();
    await told(webhook(server.url, { proxy_url: proxy.url }));
    expect(proxy.asked).toEqual([`POST ${server.url}`]);
    expect(server.requests).toHaveLength(1);
  });

  test('those over TLS go through a tunnel, which gets the headers that are meant for it', async () => {
    const [key, cert] = await Promise.all([readFile(keyFile), readFile(certificateFile)]);
    const bodies: string[] = [];
    const server = createHttpsServer({ key, cert }, (request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        bodies.push(body);
        response.end();
      });
    });
    const port = await listen(server);
    const proxy = await startProxy();
    await told(
      webhook(`https://127.0.0.1:${port}/`, {
        proxy_url: proxy.url,
        proxy_connect_header: { 'X-Proxy': ['secret'] },
        tls_config: { ca_file: certificateFile },
      }),
    );
    expect(proxy.asked).toEqual(['CONNECT secret']);
    expect(bodies).toHaveLength(1);
  });

  test('not to the hosts of no_proxy', async () => {
    const server = await startHttp();
    const proxy = await startProxy();
    await told(webhook(server.url, { proxy_url: proxy.url, no_proxy: 'example.net,127.0.0.1' }));
    expect(proxy.asked).toEqual([]);
    expect(server.requests).toHaveLength(1);
  });
});

describe('oauth2', () => {
  test('a token is got once, sent, and got anew when it was refused', async () => {
    const server = await startHttp();
    const tokens = await startHttp();
    tokens.answers = ['one', 'two'].map((access_token) =>
      status(
        200,
        { 'Content-Type': 'application/json' },
        JSON.stringify({ access_token, token_type: 'bearer', expires_in: 3600 }),
      ),
    );
    const notifier = webhook(server.url, {
      oauth2: {
        client_id: 'tocsin',
        client_secret: 's3cret',
        token_url: tokens.url,
        scopes: ['a', 'b'],
        endpoint_params: { audience: 'pager' },
      },
    });
    await told(notifier, {}, 'one');
    server.answers = [status(200), status(401)];
    await expect(told(notifier, {}, 'two')).rejects.toMatchObject({ code: 'TOC_NOTIFY_REFUSED' });
    await told(notifier, {}, 'three');
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer one',
      'Bearer one',
      'Bearer two',
    ]);
    expect(tokens.requests).toHaveLength(2);
    expect(tokens.requests[0]?.headers.authorization).toBe(
      `Basic ${Buffer.from('tocsin:s3cret').toString('base64')}`,
    );
    expect(Object.fromEntries(new URLSearchParams(tokens.requests[0]?.body))).toEqual({
      grant_type: 'client_credentials',
      scope: 'a b',
      audience: 'pager',
    });
  });

  test('without a token nothing is sent', async () => {
    const server = await startHttp();
    const tokens = await startHttp();
    tokens.answers = Array.from({ length: 3 }, () => status(500));
    const oauth2 = { client_id: 'a', client_secret: 'b', token_url: tokens.url };
    await expect(told(webhook(server.url, { oauth2 }))).rejects.toMatchObject({
      code: 'TOC_NOTIFY_FAILED',
      message: 'receiver web: webhook[0]: the server of tokens answered 500 (tried 3 times)',
    });
    expect(server.requests).toEqual([]);
  });
});

test('headers are sent as they are given, also from files', async () => {
  const server = await startHttp();
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-header-'));
  closing.push(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'key'), 's3cret\n');
  await told(
    webhook(server.url, {
      http_headers: { 'X-Key': { files: [join(folder, 'key')] }, 'X-Two': { values: ['a'], secrets: ['b'] } },
    }),
  );
  expect(server.requests[0]?.headers).toMatchObject({ 'x-key': 's3cret', 'x-two': 'a, b' });
});

test('an integration without an http_config has the global one', async () => {
  const server = await startHttp();
  const globals = { http_config: { basic_auth: { username: 'ada', password: 'p' } } };
  await told(notifierWith('webhook_configs', { url: server.url }, globals));
  expect(server.requests[0]?.headers.authorization).toBe(`Basic ${Buffer.from('ada:p').toString('base64')}`);
});
