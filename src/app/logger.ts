import { pino, type Logger } from 'pino';

export type { Logger };

/** One line of JSON a message, to standard error: pages and answers have standard output for themselves. */
export function createLogger(level: string): Logger {
  return pino(
    { level, base: null, serializers: { err: describeError } },
    pino.destination({ dest: 2, sync: true }),
  );
}

/** A code and a sentence with its causes; a stack only where there is no code, which is a defect. */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const code = 'code' in error ? error.code : undefined;
  const cause = error.cause === undefined ? undefined : describeError(error.cause);
  return {
    name: error.name,
    message: error.message,
    code,
    cause,
    ...(code === undefined ? { stack: error.stack } : {}),
  };
}
