import { pino, type DestinationStream, type Logger } from 'pino';

export type { Logger };

/** One line a message, to standard error: pages and answers have standard output for themselves. */
export function createLogger(level: string, format: string = 'json'): Logger {
  const stderr = pino.destination({ dest: 2, sync: true });
  return pino(
    { level, base: null, serializers: { err: describeError } },
    format === 'logfmt' ? logfmtInto(stderr) : stderr,
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

/** Turns pino's lines into `ts=... level=info msg="..." key=value`, as Prometheus and Alertmanager write them. */
function logfmtInto(destination: DestinationStream): DestinationStream {
  return {
    write(line) {
      const { time, level, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
      const pairs = {
        ts: new Date(Number(time)).toISOString(),
        level: pino.levels.labels[Number(level)] ?? level,
        msg,
        ...fields,
      };
      const texts = Object.entries(pairs).map(([key, value]) => `${key}=${logfmtValue(value)}`);
      destination.write(`${texts.join(' ')}\n`);
    },
  };
}

function logfmtValue(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value ?? null);
  return /^[^\s="]+$/.test(text) ? text : JSON.stringify(text);
}
