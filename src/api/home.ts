import type { FastifyInstance } from 'fastify';
import type { ApiPorts } from './ports.ts';

/** `GET /`: a page for people who open the address in a browser, and for probes that expect one. */
export function addHomeRoute(server: FastifyInstance, { operations }: ApiPorts): void {
  const { prefix } = server;
  const links = [
    '/api/v2/alerts/groups',
    '/api/v2/silences',
    '/api/v1/incidents?state=all',
    '/api/v1/integrations',
    '/openapi.json',
    '/metrics',
  ]
    .map((path) => `<li><a href="${prefix}${path}">${path}</a></li>`)
    .join('');
  const page = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark"><link rel="icon" href="data:,"><style>body{font:16px/1.6 system-ui;margin:2rem auto;max-width:40rem;padding:0 1rem}</style><title>Tocsin</title><h1>Tocsin ${operations.version}</h1><ul>${links}</ul></html>`;
  server.get('/', { schema: { hide: true } }, (_request, reply) =>
    reply.type('text/html; charset=utf-8').send(page),
  );
}
