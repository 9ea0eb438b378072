import type { FastifyReply } from 'fastify';

/** Answers with a text as a JSON string, which is what Alertmanager's clients read errors as. */
export function sendText(reply: FastifyReply, text: string): FastifyReply {
  return reply.type('application/json; charset=utf-8').send(JSON.stringify(text));
}
