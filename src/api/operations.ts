import type { FastifyInstance } from 'fastify';
import { wireTime } from './filter.ts';
import type { ApiPorts } from './ports.ts';

/** Health, readiness, reload and metrics, at the paths that Prometheus and Alertmanager use. */
export function addOperationRoutes(server: FastifyInstance, { operations, read }: ApiPorts): void {
  server.get('/-/healthy', { schema: { tags: ['operations'], summary: 'The process is alive' } }, () => 'OK');

  server.get(
    '/-/ready',
    { schema: { tags: ['operations'], summary: 'The process takes alerts; what it lacks, by code' } },
    (_request, reply) => {
      const { isReady, troubles } = operations.readiness();
      const lines = troubles.map(({ code, message }) => `${code}: ${message}`);
      return reply.code(isReady ? 200 : 503).send([...(isReady ? ['OK'] : []), ...lines].join('\n'));
    },
  );

  server.route({
    method: ['POST', 'PUT'],
    url: '/-/reload',
    schema: { tags: ['operations'], summary: 'Load the configuration file again' },
    handler: async (_request, reply) => {
      const outcome = await operations.reload();
      return outcome.ok
        ? reply.send()
        : reply.code(500).send(`failed to reload config: ${outcome.errors.join('; ')}`);
    },
  });

  server.get(
    '/api/v1/integrations',
    { schema: { tags: ['operations'], summary: 'How each integration of each receiver takes its pages' } },
    async () =>
      (await read.integrations()).map(({ receiver, integration, state, sinceMs, lastError, ...counts }) => ({
        receiver,
        integration,
        state,
        since: wireTime(sinceMs),
        lastError,
        waiting: counts.waitingCount,
        delivered: counts.deliveredCount,
        failed: counts.failedCount,
      })),
  );

  server.get(
    '/metrics',
    { schema: { tags: ['operations'], summary: 'Metrics in Prometheus text format' } },
    async (_request, reply) =>
      reply.type('text/plain; version=0.0.4; charset=utf-8').send(await operations.metrics()),
  );
}
