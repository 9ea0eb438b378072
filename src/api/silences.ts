import type { FastifyInstance } from 'fastify';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { parseFilter, silenceQuery, wireSilence } from './filter.ts';
import type { ApiPorts, SilenceView } from './ports.ts';
import { RequestInvalid } from './schema.ts';
import { sendText } from './text.ts';
import type { MatcherText } from '../alert/index.ts';

/** As far as `Date.parse` does not see to it: it takes `1` and `11/23/2031` too. */
const rfc3339 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d/;

const time = z.string().transform((text, context) => {
  const timeMs = rfc3339.test(text) ? Date.parse(text) : NaN;
  if (Number.isNaN(timeMs))
    context.addIssue({ code: 'custom', message: `expected an RFC 3339 time, got ${JSON.stringify(text)}` });
  return timeMs;
});

const postableSilence = z.object({
  id: z.string().default(''),
  matchers: z
    .array(
      z.object({
        name: z.string(),
        value: z.string(),
        isRegex: z.boolean(),
        isEqual: z.boolean().default(true),
      }),
    )
    .min(1, 'expected at least one matcher'),
  startsAt: time,
  endsAt: time,
  createdBy: z.string(),
  comment: z.string(),
});

const byId = z.object({ silenceId: z.string() });

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

function requireUuid(id: string): string {
  if (uuid.test(id)) return id;
  throw new RequestInvalid(`silenceID in path must be of type uuid: ${JSON.stringify(id)}`, 422);
}

/** Alertmanager's API v2 for silences. A created silence is in force when the answer arrives. */
export function addSilenceRoutes(server: FastifyInstance, { read, commands }: ApiPorts): void {
  server.get(
    '/api/v2/silences',
    { schema: { tags: ['alertmanager'], summary: 'All silences', querystring: silenceQuery } },
    async (request) => {
      const silences = await read.silences(
        parseFilter((request.query as z.output<typeof silenceQuery>).filter),
      );
      return silences.toSorted(compareSilences).map(wireSilence);
    },
  );

  server.post(
    '/api/v2/silences',
    { schema: { tags: ['alertmanager'], summary: 'Create or change a silence', body: postableSilence } },
    async (request, reply) => {
      const body = request.body as z.output<typeof postableSilence>;
      if (body.id !== '' && !(await read.silence(body.id)))
        return sendText(reply.code(404), `silence ${body.id} not found`);
      const commandId = randomUUID();
      const answer = await commands.submit({
        id: commandId,
        kind: 'silence.set',
        by: body.createdBy,
        body: {
          id: body.id || commandId,
          matchers: body.matchers satisfies MatcherText[],
          startsAtMs: body.startsAt,
          endsAtMs: body.endsAt,
          createdBy: body.createdBy,
          comment: body.comment,
        },
      });
      if (answer.status === 'refused')
        return sendText(reply.code(answer.code === 'not_found' ? 404 : 400), answer.message);
      return answer.result;
    },
  );

  server.get(
    '/api/v2/silence/:silenceId',
    { schema: { tags: ['alertmanager'], summary: 'One silence', params: byId } },
    async (request, reply) => {
      const view = await read.silence(requireUuid((request.params as z.output<typeof byId>).silenceId));
      return view ? wireSilence(view) : reply.code(404).send();
    },
  );

  server.delete(
    '/api/v2/silence/:silenceId',
    { schema: { tags: ['alertmanager'], summary: 'Expire a silence', params: byId } },
    async (request, reply) => {
      const silenceId = requireUuid((request.params as z.output<typeof byId>).silenceId);
      const answer = await commands.submit({
        id: randomUUID(),
        kind: 'silence.expire',
        by: 'api',
        body: { silenceId },
      });
      if (answer.status === 'done') return reply.code(200).send();
      return sendText(reply.code(answer.code === 'not_found' ? 404 : 500), answer.message);
    },
  );
}

const stateOrder = { active: 0, pending: 1, expired: 2 } as const;

/** Active first, by their end; then pending, by their start; then expired, the latest end first. */
function compareSilences(a: SilenceView, b: SilenceView): number {
  if (a.state !== b.state) return stateOrder[a.state] - stateOrder[b.state];
  if (a.state === 'active') return a.silence.endsAtMs - b.silence.endsAtMs;
  if (a.state === 'pending') return a.silence.startsAtMs - b.silence.startsAtMs;
  return b.silence.endsAtMs - a.silence.endsAtMs;
}
