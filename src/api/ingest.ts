import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import type { ApiPorts, IngestOutcome } from './ports.ts';
import { sendText } from './text.ts';

const inDomain = z.object({ domain: z.string().min(1).optional() });

/**
 * Ways in. A 200 or 202 says that every report that was not refused is durable. Refused ones are named in the 400 answer,
 * and the others of the same request are kept. 503 with `Retry-After` says that nothing of the request was kept,
 * 413 that an alert is larger than a log takes: the others may have been kept, and to send it again is of no use.
 */
export function addIngestRoutes(
  server: FastifyInstance,
  { ingest }: ApiPorts,
  webhookFormats: readonly string[],
): void {
  server.post(
    '/api/v2/alerts',
    { schema: { tags: ['ingest'], summary: 'Alerts as Prometheus sends them', querystring: inDomain } },
    async (request, reply) => {
      const outcome = await ingest.accept({
        format: 'alertmanager',
        body: bytes(request.body),
        ...(request.query as z.output<typeof inDomain>),
      });
      if (outcome.status === 'unavailable') return unavailable(reply, outcome);
      if (outcome.errors.length > 0) return sendText(reply.code(400), outcome.errors.join('; '));
      return reply.code(200).send();
    },
  );

  for (const format of webhookFormats) {
    server.post(
      `/webhook/${format}`,
      { schema: { tags: ['ingest'], summary: `Webhook of ${format}`, querystring: inDomain } },
      async (request, reply) => {
        const outcome = await ingest.accept({
          format,
          body: bytes(request.body),
          ...(request.query as z.output<typeof inDomain>),
        });
        if (outcome.status === 'unavailable') return unavailable(reply, outcome);
        const { acceptedCount, errors } = outcome;
        if (errors.length > 0) return reply.code(400).send({ accepted: acceptedCount, errors });
        return reply.code(202).send(outcome.reply ?? { accepted: acceptedCount });
      },
    );
  }
}

function unavailable(
  reply: FastifyReply,
  outcome: Extract<IngestOutcome, { status: 'unavailable' }>,
): FastifyReply {
  if (outcome.code === 'TOC_LOG_ENTRY_TOO_LARGE')
    return reply.code(413).send({ code: outcome.code, message: outcome.message });
  return reply
    .code(503)
    .header('Retry-After', String(outcome.retryAfterSeconds))
    .send({ code: outcome.code, message: outcome.message });
}

function bytes(body: unknown): Uint8Array {
  return body instanceof Uint8Array ? body : new Uint8Array();
}
