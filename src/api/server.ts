import swagger from '@fastify/swagger';
import fastify, { type FastifyInstance } from 'fastify';
import { timingSafeEqual, createHash } from 'node:crypto';
import { addAlertRoutes } from './alerts.ts';
import { addCommandRoutes } from './commands.ts';
import { addHomeRoute } from './home.ts';
import { addIncidentRoutes } from './incidents.ts';
import { addIngestRoutes } from './ingest.ts';
import { limitRequests, type RequestLimits } from './limits.ts';
import { addModelRoutes } from './models.ts';
import { addNotFound } from './not-found.ts';
import { addOperationRoutes } from './operations.ts';
import type { ApiPorts } from './ports.ts';
import { RequestInvalid, toOpenApiSchema, zodSchemas } from './schema.ts';
import { sendText } from './text.ts';
import { addSilenceRoutes } from './silences.ts';

export interface ApiOptions {
  readonly maxBodyBytes: number;
  /** When set, every request but the health checks must carry `Authorization: Bearer <token>`. */
  readonly bearerToken: string | null;
  /** What all paths begin with, such as `/alerts`; empty for none. */
  readonly routePrefix?: string;
  readonly limits?: RequestLimits;
  /** Formats beside Alertmanager's own that are taken at `POST /webhook/<format>`. */
  readonly webhookFormats: readonly string[];
}

/** Builds the HTTP server with all routes; it does not listen yet. Errors answer as `{ code, message }`. */
export async function createApi(ports: ApiPorts, options: ApiOptions): Promise<FastifyInstance> {
  const server = fastify({
    bodyLimit: options.maxBodyBytes,
    logger: false,
    forceCloseConnections: true,
    schemaController: zodSchemas,
    routerOptions: { ignoreTrailingSlash: true },
  });
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
  const { routePrefix: prefix = '' } = options;
  if (options.bearerToken !== null) requireToken(server, options.bearerToken, prefix);
  if (options.limits) limitRequests(server, options.limits);
  server.setErrorHandler(
    (error: Error & { statusCode?: number; code?: string; retryable?: boolean }, request, reply) => {
      const isAlertmanagers = request.url.startsWith(`${prefix}/api/v2/`);
      const isPassing = error.retryable === true;
      const status =
        error instanceof RequestInvalid && !isAlertmanagers
          ? 400
          : (error.statusCode ?? (isPassing ? 503 : 500));
      if (isPassing) reply.header('retry-after', '1');
      // A client that is still sending would see its connection cut instead of this answer; kept open, the rest is read and dropped.
      if (status === 413) reply.removeHeader('connection');
      if (isAlertmanagers) return sendText(reply.code(status), error.message);
      return reply
        .code(status)
        .send({ code: status === 400 ? 'invalid' : (error.code ?? 'internal'), message: error.message });
    },
  );

  await server.register(
    async (scope) => {
      // These read their bodies themselves, or have none, whatever the sender says of them.
      scope.removeAllContentTypeParsers();
      scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
      addIngestRoutes(scope, ports, options.webhookFormats);
      addOperationRoutes(scope, ports);
    },
    { prefix },
  );
  if (prefix !== '') server.get('/', { schema: { hide: true } }, (_request, reply) => reply.redirect(prefix));
  addNotFound(server, prefix);
  readEmptyAsNothing(server);
  server.addHook('onSend', async (request, reply) => {
    // Alertmanager names no charset, which JSON has not anyway.
    if (!request.url.startsWith(`${prefix}/api/v2/`)) return;
    if (String(reply.getHeader('content-type')).startsWith('application/json')) {
      reply.header('content-type', 'application/json');
    }
  });
  const addRoutes = async (scope: FastifyInstance): Promise<void> => {
    addHomeRoute(scope, ports);
    addAlertRoutes(scope, ports);
    addSilenceRoutes(scope, ports);
    addIncidentRoutes(scope, ports);
    addCommandRoutes(scope, ports);
    addModelRoutes(scope, ports);
    scope.get('/openapi.json', { schema: { hide: true } }, () => server.swagger());
  };
  await server.register(addRoutes, { prefix });
  return server;
}

/** Clients that name a content type without sending a body, as many do with DELETE, are understood. */
function readEmptyAsNothing(server: FastifyInstance): void {
  const parse = server.getDefaultJsonParser('error', 'ignore');
  server.removeContentTypeParser('application/json');
  server.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined);
    else void parse(request, body, done);
  });
}

function requireToken(server: FastifyInstance, token: string, prefix: string): void {
  const expected = digest(`Bearer ${token}`);
  server.addHook('onRequest', async (request, reply) => {
    if (request.url === `${prefix}/-/healthy` || request.url === `${prefix}/-/ready`) return;
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
