import type { Msg, NatsConnection } from '@nats-io/transport-node';
import { randomUUID } from 'node:crypto';
import { createInbox, headers } from './client.ts';
import { AnswerError, type Questions } from './questions.ts';

/** A message is filled so far; the servers' own limit is 1 MiB unless they are told otherwise. */
const maxPartBytes = 512 * 1024;
const headBytes = 1024;
/** Status of the message that a server sends where nobody listens. */
const noResponders = 503;

/** Numbers the parts of one answer, from 0. */
const partHeader = 'Tocsin-Part';
const partCountHeader = 'Tocsin-Parts';
/** Tells the answers of two who were asked apart. */
const answerHeader = 'Tocsin-Answer';
const errorHeader = 'Tocsin-Error';

export function createQuestions(connection: NatsConnection): Questions {
  return {
    answer: (subject, answer, codeOf) => answerQuestions(connection, subject, answer, codeOf),
    ask: (subject, question, timeoutMs) => askQuestion(connection, subject, question, timeoutMs),
  };
}

function answerQuestions(
  connection: NatsConnection,
  subject: string,
  answer: (question: Uint8Array) => Promise<Uint8Array>,
  codeOf: (error: unknown) => string,
): () => void {
  const subscription = connection.subscribe(subject, {
    callback(error, message) {
      if (error === null) void respond(message);
    },
  });
  const respond = async (message: Msg): Promise<void> => {
    const head = headers();
    head.set(answerHeader, randomUUID());
    try {
      const bytes = await answer(message.data);
      const partBytes = Math.min(maxPartBytes, (connection.info?.max_payload ?? Infinity) - headBytes);
      const count = Math.max(1, Math.ceil(bytes.length / partBytes));
      head.set(partCountHeader, String(count));
      for (let part = 0; part < count; part++) {
        head.set(partHeader, String(part));
        message.respond(bytes.subarray(part * partBytes, (part + 1) * partBytes), { headers: head });
      }
    } catch (error) {
      if (connection.isClosed()) return;
      head.set(errorHeader, codeOf(error));
      message.respond(error instanceof Error ? error.message : String(error), { headers: head });
    }
  };
  return () => subscription.unsubscribe();
}

async function askQuestion(
  connection: NatsConnection,
  subject: string,
  question: Uint8Array,
  timeoutMs: number,
): Promise<Uint8Array | null> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array | null>();
  const timer = setTimeout(resolve, timeoutMs, null);
  const parts: Uint8Array[] = [];
  let answerId: string | null = null;
  const inbox = createInbox();
  const subscription = connection.subscribe(inbox, {
    callback(error, { data, headers: head }) {
      if (error) return reject(error);
      if (!head || head.code === noResponders) return resolve(null);
      answerId ??= head.get(answerHeader);
      if (head.get(answerHeader) !== answerId) return;
      timer.refresh();
      if (head.has(errorHeader)) {
        return reject(new AnswerError(head.get(errorHeader), new TextDecoder().decode(data)));
      }
      if (Number(head.get(partHeader)) !== parts.length) return resolve(null);
      parts.push(data);
      if (Number(head.get(partCountHeader)) === parts.length) resolve(Buffer.concat(parts));
    },
  });
  try {
    connection.publish(subject, question, { reply: inbox });
    return await promise;
  } finally {
    clearTimeout(timer);
    subscription.unsubscribe();
  }
}
