import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify';

const methods: readonly HTTPMethods[] = ['GET', 'POST', 'PUT', 'DELETE'];

/** What Alertmanager said until 0.27, and says since (api/v1_deprecation_router.go). */
const goneMessage =
  'The Alertmanager v1 API was deprecated in version 0.16.0 and is removed as of version 0.27.0 - please use the equivalent route in the v2 API';

const gone = [
  '/api/v1/status',
  '/api/v1/receivers',
  '/api/v1/alerts',
  '/api/v1/silences',
  '/api/v1/silence/:id',
];

/** Answers what no route takes, outside of our own API in Alertmanager's words: unknown paths, known ones with another method, and its first API. */
export function addNotFound(server: FastifyInstance, prefix: string): void {
  for (const path of gone) {
    server.route({
      method: ['GET', 'POST', 'DELETE'],
      url: `${prefix}${path}`,
      schema: { hide: true },
      handler: (_request, reply) => reply.code(410).send({ status: 'deprecated', error: goneMessage }),
    });
  }
  server.setNotFoundHandler((request, reply) => answerNotFound(server, prefix, request, reply));
}

function answerNotFound(
  server: FastifyInstance,
  prefix: string,
  { method, url }: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const path = url.split('?')[0] ?? '';
  const allowed = methods.filter((other) => server.findRoute({ method: other, url: pattern(path) }) !== null);
  if (path.startsWith(`${prefix}/api/v2/`)) {
    return allowed.length > 0
      ? reply
          .code(405)
          .header('Allow', allowed.join(','))
          .send({ code: 405, message: `method ${method} is not allowed, but [${allowed.join(',')}] are` })
      : reply.code(404).send({ code: 404, message: `path ${path.slice(prefix.length)} was not found` });
  }
  if (path.startsWith(`${prefix}/api/v1/`))
    return reply.code(404).send({ code: 'not_found', message: `there is no ${method} ${path}` });
  reply.type('text/plain; charset=utf-8');
  return allowed.length > 0
    ? reply.code(405).send('Method Not Allowed\n')
    : reply.code(404).send('404 page not found\n');
}

/** A path as its route is declared. */
function pattern(path: string): string {
  return path.replace(/(\/api\/v2\/silence\/)[^/]+$/, '$1:silenceId');
}
