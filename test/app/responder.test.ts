import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { Responder } from '../../src/app/demo/responder.ts';

let server: Server | undefined;
afterEach(() => server?.close());

/** Answers with these status codes, one after the other; 0 cuts the connection. */
async function answering(...codes: number[]): Promise<{ responder: Responder; seen: string[] }> {
  const seen: string[] = [];
  server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    const code = codes.shift() ?? 200;
    if (code === 0) request.socket.destroy();
    else response.writeHead(code).end('{"alerts":7}');
  });
  await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { responder: new Responder(`http://127.0.0.1:${port}`, 'alex'), seen };
}

test('the person of the demo comes again where the server is busy or cuts the connection', async () => {
  const { responder, seen } = await answering(503, 0, 200, 503);
  expect(await responder.funnel()).toEqual({ alerts: 7 });
  await responder.post('/api/v2/alerts', '[]');
  expect(seen).toEqual([
    ...Array.from({ length: 3 }, () => 'GET /api/v1/funnel'),
    ...Array.from({ length: 2 }, () => 'POST /api/v2/alerts'),
  ]);
});

test('and not where it refuses', async () => {
  const { responder, seen } = await answering(422);
  await expect(responder.post('/api/v2/alerts', '[]')).rejects.toMatchObject({ code: 'TOC_API_REFUSED' });
  expect(seen).toHaveLength(1);
});
