import type { FastifyInstance } from 'fastify';
import type { ApiPorts } from './ports.ts';

/** `GET /api/v1/models`: which models are in force, what a candidate would change, and whether the one in force still fits. */
export function addModelRoutes(server: FastifyInstance, { read }: ApiPorts): void {
  server.get(
    '/api/v1/models',
    { schema: { tags: ['models'], summary: 'The models by which surprise is judged, of each partition' } },
    () => read.models(),
  );
}
