import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the demo's runbook acts on: an HTTP endpoint on loopback that stands for the database's host. */
export interface DemoTarget {
  readonly url: string;
  /** Requests that changed something. */
  readonly changeCount: number;
  close(): Promise<void>;
}

export async function startTarget(): Promise<DemoTarget> {
  let changeCount = 0;
  const server = createServer((request, response) => {
    request.resume();
    if (request.method !== 'GET') changeCount++;
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify(request.method === 'GET' ? { used: '100%' } : { freed: '38 GiB' }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    get changeCount() {
      return changeCount;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
