import type { NatsConnection } from '@nats-io/transport-node';

/** Questions that one process asks another, with answers of any size. */
export interface Questions {
  /**
   * Answers what is asked at `subject` until the function is called that it returns. What `answer` rejects with is told under the code that
   * `codeOf` gives it.
   */
  answer(
    subject: string,
    answer: (question: Uint8Array) => Promise<Uint8Array>,
    codeOf: (error: unknown) => string,
  ): () => void;
  /**
   * Who answers first counts, where several do. Null where nobody answers, or where the answer or its next part takes longer than
   * `timeoutMs`. Rejects with `AnswerError`, and with the client's error where the connection is closed.
   */
  ask(subject: string, question: Uint8Array, timeoutMs: number): Promise<Uint8Array | null>;
}

/** Who was asked says what is wrong. */
export class AnswerError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** The client is loaded only where it is used: it costs a tenth of the start. */
export async function openQuestions(connection: NatsConnection): Promise<Questions> {
  const { createQuestions } = await import('./exchange.ts');
  return createQuestions(connection);
}
