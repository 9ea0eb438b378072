import swagger from '@fastify/swagger';
import fastify, { type FastifyInstance } from 'fastify';
import { timingSafeEqual, createHash } from 'node:crypto';
import { addAlertRoutes } from './alerts.ts';
import { addCommandRoutes } from './commands.ts';
import { addIncidentRoutes } from './incidents.ts';
import { addIngestRoutes } from './ingest.ts';
import { addOperationRoutes } from './operations.ts';
import type { ApiPorts } from './ports.ts';
import { toOpenApiSchema, useZodSchemas } from './schema.ts';
import { sendText } from './text.ts';
import { addSilenceRoutes } from './silences.ts';

export interface ApiOptions {
  readonly maxBodyBytes: number;
  /** When set, every request but the health checks must carry `Authorization: Bearer <token>`. */
  readonly bearerToken: string | null;
  /** Formats beside Alertmanager's own that are taken at `POST /webhook/<format>`. */
  readonly webhookFormats: readonly string[];
}

/** Builds the HTTP server with all routes; it does not listen yet. Errors answer as `{ code, message }`. */
export async function createApi(ports: ApiPorts, options: ApiOptions): Promise<FastifyInstance> {
  const server = fastify({ bodyLimit: options.maxBodyBytes, logger: false, forceCloseConnections: true });
  useZodSchemas(server);
  await server.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Tocsin',
        description: 'Alert correlation and triage.',
        version: ports.operations.version,
      },
    },
    transform: ({ schema, url }) => ({ schema: toOpenApiSchema(schema), url }),
  });
  if (options.bearerToken !== null) requireToken(server, options.bearerToken);
  server.setErrorHandler((error: Error & { statusCode?: number; code?: string }, request, reply) => {
    const status = error.statusCode ?? 500;
    // A client that is still sending would see its connection cut instead of this answer; kept open, the rest is read and dropped.
    if (status === 413) reply.removeHeader('connection');
    if (request.url.startsWith('/api/v2/')) return sendText(reply.code(status), error.message);
    return reply
      .code(status)
      .send({ code: status === 400 ? 'invalid' : (error.code ?? 'internal'), message: error.message });
  });

  server.setNotFoundHandler(({ method, url }, reply) =>
    reply.code(404).send({ code: 'not_found', message: `there is no ${method} ${url.split('?', 1)[0]}` }),
  );

  await server.register(async (scope) => addIngestRoutes(scope, ports, options.webhookFormats));
  await server.register(async (scope) => {
    addAlertRoutes(scope, ports);
    addSilenceRoutes(scope, ports);
    addIncidentRoutes(scope, ports);
    addCommandRoutes(scope, ports);
    addOperationRoutes(scope, ports);
    scope.get('/openapi.json', { schema: { hide: true } }, () => server.swagger());
  });
  return server;
}

function requireToken(server: FastifyInstance, token: string): void {
  const expected = digest(`Bearer ${token}`);
  server.addHook('onRequest', async (request, reply) => {
    if (request.url === '/-/healthy' || request.url === '/-/ready') return;
    if (timingSafeEqual(digest(request.headers.authorization ?? ''), expected)) return;
    await reply
      .code(401)
      .header('WWW-Authenticate', 'Bearer')
      .send({ code: 'unauthorized', message: 'expected header Authorization: Bearer <token>' });
  });
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
