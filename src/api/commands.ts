import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Command, CommandAnswer } from '../incident/index.ts';
import type { ApiPorts } from './ports.ts';

const actor = z.strictObject({
  by: z.string().min(1, 'expected the name of who acts').max(200, 'expected at most 200 characters'),
});
const commented = actor.extend({
  comment: z.string().max(10_000, 'expected at most 10,000 characters').default(''),
});
const merge = actor.extend({ from: z.array(z.string().min(1)).min(1, 'expected at least one incident') });
const split = actor.extend({ signals: z.array(z.string().min(1)).min(1, 'expected at least one signal') });
const fileText = z.string().min(1).max(200_000, 'expected at most 200,000 characters');
const model = actor.extend({
  model: z.strictObject({ modelText: fileText, manifestText: fileText }).nullable(),
});
const finish = commented.extend({ done: z.boolean() });

const nothing = z.object({});
const byId = z.object({ id: z.string().min(1) });
const byRunbook = byId.extend({ runbook: z.string().min(1) });
const byStep = byId.extend({ step: z.coerce.number().int().min(0) });

/** A command without what every command has. */
type Act = Command extends infer C ? (C extends Command ? Omit<C, 'id'> : never) : never;

/**
 * What people do: each route appends one command to the log and answers once it has been applied. `Idempotency-Key`, when
 * given, is the command's id, so that a repeated request acts once. The answer carries the id for `undo`.
 */
export function addCommandRoutes(server: FastifyInstance, { commands }: ApiPorts): void {
  const add = <Params extends z.ZodType, Body extends z.ZodType>(
    path: string,
    summary: string,
    params: Params,
    body: Body,
    act: (params: z.output<Params>, body: z.output<Body>) => Act,
  ): void => {
    server.post(path, { schema: { tags: ['commands'], summary, params, body } }, async (request, reply) => {
      const command = {
        ...act(request.params as z.output<Params>, request.body as z.output<Body>),
        id: commandId(request),
      } as Command;
      return answer(reply, command.id, await commands.submit(command));
    });
  };

  add(
    '/api/v1/incidents/:id/acknowledge',
    'Say that somebody works on it',
    byId,
    commented,
    ({ id }, { by, comment }) => ({
      kind: 'incident.acknowledge',
      by,
      body: { incidentId: id, comment },
    }),
  );
  add('/api/v1/incidents/:id/resolve', 'Close the incident', byId, commented, ({ id }, { by, comment }) => ({
    kind: 'incident.resolve',
    by,
    body: { incidentId: id, comment },
  }));
  add(
    '/api/v1/incidents/:id/merge',
    'Move the signals of other incidents into this one',
    byId,
    merge,
    ({ id }, { by, from }) => ({
      kind: 'incident.merge',
      by,
      body: { intoId: id, fromIds: from },
    }),
  );
  add(
    '/api/v1/incidents/:id/split',
    'Take signals out into a new incident',
    byId,
    split,
    ({ id }, { by, signals }) => ({
      kind: 'incident.split',
      by,
      body: { incidentId: id, signalIds: signals },
    }),
  );
  add('/api/v1/commands/:id/undo', 'Take a merge or split back', byId, actor, ({ id }, { by }) => ({
    kind: 'incident.undo',
    by,
    body: { commandId: id },
  }));
  add(
    '/api/v1/incidents/:id/runbooks/:runbook/start',
    'Start a runbook',
    byRunbook,
    actor,
    ({ id, runbook }, { by }) => ({
      kind: 'runbook.start',
      by,
      body: { incidentId: id, runbook },
    }),
  );
  add(
    '/api/v1/runs/:id/steps/:step/approve',
    'Let the waiting step go on',
    byStep,
    actor,
    ({ id, step }, { by }) => ({
      kind: 'runbook.approve',
      by,
      body: { runId: id, step },
    }),
  );
  add(
    '/api/v1/runs/:id/steps/:step/reject',
    'Refuse the waiting step and end the run',
    byStep,
    commented,
    ({ id, step }, { by, comment }) => ({
      kind: 'runbook.reject',
      by,
      body: { runId: id, step, comment },
    }),
  );
  add(
    '/api/v1/runs/:id/steps/:step/finish',
    'Say how a manual step ended',
    byStep,
    finish,
    ({ id, step }, { by, done, comment }) => ({
      kind: 'runbook.finish-step',
      by,
      body: { runId: id, step, isDone: done, comment },
    }),
  );
  add(
    '/api/v1/models/activate',
    'Put a model in force, given by the texts of its files; null goes back to what the configuration names',
    nothing,
    model,
    (_params, { by, model }) => ({ kind: 'model.activate', by, body: { model } }),
  );
  add(
    '/api/v1/models/shadow',
    'Let a model score beside the one in force; null ends that',
    nothing,
    model,
    (_params, { by, model }) => ({ kind: 'model.shadow', by, body: { model } }),
  );
}

function commandId(request: FastifyRequest): string {
  const key = request.headers['idempotency-key'];
  return typeof key === 'string' && key !== '' ? key : randomUUID();
}

const statusOf = { not_found: 404, invalid: 400, conflict: 409 } as const;

function answer(reply: FastifyReply, commandId: string, outcome: CommandAnswer): FastifyReply {
  if (outcome.status === 'done') return reply.send({ commandId, ...outcome.result });
  return reply.code(statusOf[outcome.code]).send({ commandId, code: outcome.code, message: outcome.message });
}
