import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import { labelsToObject } from '../alert/index.ts';
import type { Incident, Storm } from '../incident/index.ts';
import { wireTime } from './filter.ts';
import type { ApiPorts, IncidentDetail, SignalView } from './ports.ts';

const listQuery = z.object({
  state: z.enum(['open', 'acknowledged', 'resolved', 'merged', 'unresolved', 'all']).default('unresolved'),
  domain: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
});

const byId = z.object({ id: z.string().min(1) });

/** `GET /api/v1/incidents`, one incident with its evidence, and `GET /api/v1/explain/:id`. */
export function addIncidentRoutes(server: FastifyInstance, { read }: ApiPorts): void {
  server.get(
    '/api/v1/incidents',
    { schema: { tags: ['incidents'], summary: 'Incidents, the most urgent first', querystring: listQuery } },
    async (request) => (await read.incidents(request.query as z.output<typeof listQuery>)).map(wireIncident),
  );

  server.get(
    '/api/v1/incidents/:id',
    {
      schema: {
        tags: ['incidents'],
        summary: 'One incident with its signals, evidence, pages and runbooks',
        params: byId,
      },
    },
    async (request, reply) => {
      const { id } = request.params as z.output<typeof byId>;
      const detail = await read.incident(id);
      return detail ? wireDetail(detail) : notFound(reply, 'incident', id);
    },
  );

  server.get(
    '/api/v1/explain/:id',
    {
      schema: {
        tags: ['incidents'],
        summary: 'Why a fingerprint, a signal or an incident was treated as it was',
        params: byId,
      },
    },
    async (request, reply) => {
      const { id } = request.params as z.output<typeof byId>;
      return (await read.explain(id)) ?? notFound(reply, 'fingerprint, signal or incident', id);
    },
  );

  server.get(
    '/api/v1/storms',
    {
      schema: {
        tags: ['incidents'],
        summary: 'Storms that go on, and those of the last day, the last first',
      },
    },
    async () => (await read.storms()).map(wireStorm),
  );

  server.get(
    '/api/v1/runs/:id',
    { schema: { tags: ['runbooks'], summary: 'One run of a runbook', params: byId } },
    async (request, reply) => {
      const { id } = request.params as z.output<typeof byId>;
      return (await read.run(id)) ?? notFound(reply, 'run', id);
    },
  );

  server.get(
    '/api/v1/funnel',
    {
      schema: {
        tags: ['incidents'],
        summary: 'How many alerts became how many signals, incidents and pages',
      },
    },
    () => read.funnel(),
  );
}

export function notFound(reply: FastifyReply, what: string, id: string): FastifyReply {
  return reply.code(404).send({ code: 'not_found', message: `no ${what} ${JSON.stringify(id)}` });
}

function wireIncident(incident: Incident): Record<string, unknown> {
  const { openedAtMs, updatedAtMs, resolvedAtMs, acknowledgedAtMs, probableCauses, similar, ...rest } =
    incident;
  return {
    ...rest,
    openedAt: wireTime(openedAtMs),
    updatedAt: wireTime(updatedAtMs),
    resolvedAt: optionalTime(resolvedAtMs),
    acknowledgedAt: optionalTime(acknowledgedAtMs),
    probableCauses: probableCauses.map((cause) => ({ ...cause, labels: labelsToObject(cause.labels) })),
    similar: similar.map(({ openedAtMs, resolvedAtMs, ...past }) => ({
      ...past,
      openedAt: wireTime(openedAtMs),
      resolvedAt: optionalTime(resolvedAtMs),
    })),
  };
}

function wireSignal(signal: SignalView): Record<string, unknown> {
  const { labels, firstAtMs, lastAtMs, resolvedAtMs, ...rest } = signal;
  return {
    ...rest,
    labels: labelsToObject(labels),
    firstAt: wireTime(firstAtMs),
    lastAt: wireTime(lastAtMs),
    resolvedAt: optionalTime(resolvedAtMs),
  };
}

function wireDetail(detail: IncidentDetail): Record<string, unknown> {
  return {
    ...wireIncident(detail.incident),
    signals: detail.signals.map(wireSignal),
    links: detail.links,
    pages: detail.pages.map(({ atMs, deliveries, ...page }) => ({
      ...page,
      at: wireTime(atMs),
      deliveries: deliveries.map(({ atMs: endedMs, ...delivery }) => ({
        ...delivery,
        at: wireTime(endedMs),
      })),
    })),
    calm: detail.calm,
    runbooks: detail.runbooks,
    runs: detail.runs,
  };
}

function wireStorm({ startedAtMs, endedAtMs, ...storm }: Storm): Record<string, unknown> {
  return { ...storm, startedAt: wireTime(startedAtMs), endedAt: optionalTime(endedAtMs) };
}

function optionalTime(timeMs: number | null): string | null {
  return timeMs === null ? null : wireTime(timeMs);
}
