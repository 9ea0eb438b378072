import { createServer } from 'node:net';

/**
 * A free port of loopback, below those that the system gives to outgoing connections: nobody takes it between here and there but
 * another test that drew the same of twenty thousand.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
}
