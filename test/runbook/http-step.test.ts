import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { HttpStepEffect } from '../../src/incident/index.ts';
import { carryOutHttpStep } from '../../src/runbook/index.ts';

interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

let server: Server;
let origin: string;
let received: Received[];
let respond: (response: ServerResponse) => void;

beforeEach(async () => {
  received = [];
  respond = (response) => response.end('ok');
  server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      received.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body });
      respond(response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function carryOut(change: Partial<HttpStepEffect['payload']> = {}, stop = new AbortController().signal) {
  const payload = {
    runId: 'run-1',
    step: 0,
    method: 'GET',
    url: `${origin}/disk`,
    headers: {},
    body: '',
    timeoutMs: 5000,
  };
  return carryOutHttpStep(
    { id: 'runbook/run-1/0', kind: 'http-step', payload: { ...payload, ...change } },
    stop,
  );
}

test('the request is made once, as it was approved, under the id of the effect', async () => {
  const headers = { 'Content-Type': 'application/json', 'X-Change': 'CHG-7' };
  expect(await carryOut({ method: 'POST', headers, body: '{"volume":"ü"}' })).toEqual({
    status: 200,
    body: 'ok',
  });
  expect(received).toHaveLength(1);
  expect(received[0]).toMatchObject({
    method: 'POST',
    url: '/disk',
    body: '{"volume":"ü"}',
    headers: {
      'content-type': 'application/json',
      'x-change': 'CHG-7',
      'idempotency-key': 'runbook/run-1/0',
    },
  });
});

test.each([204, 404, 500])('status %i is an answer, not a failure', async (status) => {
  respond = (response) => response.writeHead(status).end(status === 204 ? undefined : 'why');
  expect(await carryOut()).toEqual({ status, body: status === 204 ? '' : 'why' });
});

test('a redirect is not followed', async () => {
  respond = (response) => response.writeHead(302, { Location: `${origin}/elsewhere` }).end();
  expect(await carryOut()).toMatchObject({ status: 302 });
  expect(received.map(({ url }) => url)).toEqual(['/disk']);
});

test('only 4 KiB of an endless answer are read', async () => {
  respond = (response) => {
    const pour = () => {
      while (!response.destroyed && response.write('x'.repeat(1000)));
    };
    response.on('drain', pour);
    pour();
  };
  const { body } = await carryOut();
  expect(body).toBe('x'.repeat(4096));
});

describe('fails with TOC_STEP_FAILED', () => {
  test('when no answer comes in time', async () => {
    respond = () => undefined;
    await expect(carryOut({ timeoutMs: 30 })).rejects.toMatchObject({
      code: 'TOC_STEP_FAILED',
      message: `GET ${origin}/disk: no answer within 30ms`,
    });
  });

  test('when nobody listens', async () => {
    await expect(carryOut({ url: 'http://127.0.0.1:1/' })).rejects.toMatchObject({
      code: 'TOC_STEP_FAILED',
      message: 'GET http://127.0.0.1:1/: the server could not be reached',
    });
  });

  test('when its credentials cannot be read; nothing is sent then', async () => {
    const authorization = { type: 'Bearer', credentialsFile: '/nonexistent/token' };
    await expect(carryOut({ authorization })).rejects.toMatchObject({ code: 'TOC_STEP_FAILED' });
    expect(received).toEqual([]);
  });
});

test('credentials are read from their file when the request is made', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-step-'));
  const credentialsFile = join(folder, 'token');
  await writeFile(credentialsFile, 's3cret\n');
  await carryOut({ authorization: { type: 'Bearer', credentialsFile } });
  expect(received[0]?.headers.authorization).toBe('Bearer s3cret');
  await rm(folder, { recursive: true });
});

test('stopping cuts a request off', async () => {
  respond = () => undefined;
  const stop = new AbortController();
  const carried = carryOut({}, stop.signal);
  while (received.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  stop.abort();
  await expect(carried).rejects.toThrow();
});
