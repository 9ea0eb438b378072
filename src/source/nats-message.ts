import type { Msg } from '@nats-io/transport-node';
import { encodeCloudEventsMessage } from './decode-cloudevents-message.ts';
import type { SourceFormat } from './decoders.ts';

/** One message as it is taken in. */
export interface MessageReport {
  readonly format: SourceFormat;
  readonly domain: string;
  readonly body: Uint8Array;
}

/** What became of the reports of one message. */
export type MessageOutcome =
  | { readonly status: 'accepted'; readonly acceptedCount: number; readonly errors: readonly string[] }
  | { readonly status: 'unavailable'; readonly code: string; readonly message: string };

/** Takes the reports of one message in; resolves once they are durable, or were refused. */
export type TakeMessage = (report: MessageReport) => Promise<MessageOutcome>;

type Received = Pick<Msg, 'subject' | 'data'> & { readonly headers?: Msg['headers'] | undefined };
export type ReceivedHeaders = readonly (readonly [name: string, values: readonly string[]])[];

/** The headers of a message; null where they cannot be read, because the server takes names that the client does not. */
export function headersOf(message: Received): ReceivedHeaders | null {
  try {
    return [...(message.headers ?? [])];
  } catch {
    return null;
  }
}

/** How a message is decoded: by its headers as CloudEvents, else as plain JSON. The last token of its subject is the domain. */
export function reportOf({ subject, data }: Received, headers: ReceivedHeaders | null): MessageReport {
  const domain = subject.slice(subject.lastIndexOf('.') + 1);
  if (headers?.length === 0) return { format: 'json', domain, body: data };
  const firstValues =
    headers && Object.fromEntries(headers.map(([name, values]) => [name, values[0] ?? ''] as const));
  const event = encodeCloudEventsMessage(firstValues, data);
  return event
    ? { format: 'cloudevents-message', domain, body: event }
    : { format: 'json', domain, body: data };
}

/** Whether it would be of no use to send the message again: it has an alert that no log ever takes. */
export function isForGood(outcome: MessageOutcome): boolean {
  return outcome.status === 'unavailable' && outcome.code === 'TOC_LOG_ENTRY_TOO_LARGE';
}

/** What a request is answered, in at most `maxBytes`: of more errors than have room only the number is told. */
export function answerOf(outcome: MessageOutcome, maxBytes: number): string {
  if (outcome.status === 'unavailable') {
    const retry = isForGood(outcome) ? {} : { retry: true };
    return JSON.stringify({ accepted: 0, errors: [outcome.message], ...retry });
  }
  const { acceptedCount: accepted, errors } = outcome;
  for (let count = errors.length; ; count = Math.floor(count / 2)) {
    const more = errors.length - count;
    const told = more === 0 ? errors : [...errors.slice(0, count), `and ${more} more`];
    const answer = JSON.stringify({ accepted, errors: told });
    if (count === 0 || Buffer.byteLength(answer) <= maxBytes) return answer;
  }
}

/**
 * Whether an answer may go to where a request wants it. Who may only publish alerts could otherwise have this process publish anywhere in
 * their place: to `$JS.API.STREAM.PURGE.<stream>`, whose server takes any JSON, or into the log. An inbox begins with one of the prefixes.
 */
export function isInbox(reply: string, prefixes: readonly string[]): boolean {
  return prefixes.some((prefix) => reply.startsWith(prefix));
}
