import type { FastifyInstance } from 'fastify';

/** Alertmanager's limits on requests (api/api.go, `limitHandler`). */
export interface RequestLimits {
  /** A request that is not answered by then is answered with 503; 0 sets no limit. */
  readonly timeoutMs: number;
  /** GET requests beyond these are answered with 503. */
  readonly getConcurrency: number;
}

/** Keeps each request within the limits. */
export function limitRequests(server: FastifyInstance, { timeoutMs, getConcurrency }: RequestLimits): void {
  let gets = 0;
  server.addHook('onRequest', async (request, reply) => {
    if (timeoutMs > 0) {
      const timer = setTimeout(() => {
        if (!reply.sent) reply.code(503).send(`Exceeded configured timeout of ${timeoutMs / 1000}s.\n`);
      }, timeoutMs);
      reply.raw.once('close', () => clearTimeout(timer));
    }
    if (request.method !== 'GET') return;
    if (gets >= getConcurrency) {
      await reply
        .code(503)
        .send(`Limit of concurrent GET requests reached (${getConcurrency}), try again later.\n`);
      return;
    }
    gets++;
    reply.raw.once('close', () => gets--);
  });
}
