import { decodeCloudEvents, readEvent } from './decode-cloudevents.ts';
import { clip, isObject, parseJson, type Decode } from './decode.ts';

/** Headers of a message, each with its first value. */
export type MessageHeaders = Readonly<Record<string, string>>;

const contentType = 'content-type';
const prefix = 'ce-';
const required = ['specversion', 'id', 'source', 'type'].map((name) => `${prefix}${name}`);
const separator = 0x0a;

/**
 * The bytes of a message that carries CloudEvents, as `decodeCloudEventsMessage` reads them: the headers that matter as one line of
 * JSON, then the payload as it came. Null where the headers speak of no CloudEvent. Headers that cannot be read are null, and the
 * decoder says so.
 */
export function encodeCloudEventsMessage(
  headers: MessageHeaders | null,
  payload: Uint8Array,
): Uint8Array | null {
  if (headers === null) return Buffer.concat([Buffer.of(separator), payload]);
  const known = Object.fromEntries(
    Object.entries(headers)
      .map(([name, value]) => [name.toLowerCase(), value] as const)
      .filter(([name]) => name === contentType || name.startsWith(prefix)),
  );
  const isEvent = isStructured(known) || required.some((name) => known[name] !== undefined);
  if (!isEvent) return null;
  return Buffer.concat([Buffer.from(`${JSON.stringify(known)}\n`), payload]);
}

/**
 * CloudEvents 1.0 as messages. Structured mode, one event or a batch, where the content type begins with `application/cloudevents`;
 * else binary mode: the attributes are headers that begin with `ce-`, percent-encoded, and the payload is `data`.
 * Source: cloudevents/spec bindings/nats-protocol-binding.md, sections 1.3 and 3.
 */
export const decodeCloudEventsMessage: Decode = (body, context) => {
  const end = body.indexOf(separator);
  if (end === 0) return { alerts: [], errors: ['headers: expected names of printable ASCII, got others'] };
  const head = parseJson(body.subarray(0, Math.max(end, 0)), 'headers');
  if (!head.ok) return { alerts: [], errors: [head.error] };
  const headers = textsOf(head.value);
  const payload = body.subarray(end + 1);
  if (isStructured(headers)) {
    const type = mediaType(headers[contentType]);
    if (structuredTypes.has(type)) return decodeCloudEvents(payload, context);
    const expected = [...structuredTypes].join(' or ');
    return { alerts: [], errors: [`content-type: expected ${expected}, got ${clip(type)}`] };
  }
  const event = Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, value]) => [name.slice(prefix.length), attributeOf(value)]),
  );
  const type = mediaType(event['datacontenttype'] ?? headers[contentType]);
  if (type !== '' && !jsonType.test(type)) {
    const error = `event.datacontenttype: expected JSON, such as application/json, got ${clip(type)}`;
    return { alerts: [], errors: [error] };
  }
  const data = parseJson(payload, 'event.data');
  if (!data.ok) return { alerts: [], errors: [data.error] };
  const outcome = readEvent({ ...event, data: data.value }, 'event', context);
  return outcome.ok ? { alerts: [outcome.alert], errors: [] } : { alerts: [], errors: [outcome.error] };
};

const structuredTypes = new Set(['application/cloudevents+json', 'application/cloudevents-batch+json']);
const jsonType = /^(?:application|text)\/json$|^[^/]+\/[^/]+\+json$/;

function isStructured(headers: MessageHeaders): boolean {
  return mediaType(headers[contentType]).startsWith('application/cloudevents');
}

/** A content type without its parameters. */
function mediaType(value: string | undefined): string {
  return (value ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

/** Undoes the percent-encoding of an attribute; bytes that are no UTF-8 become U+FFFD, and a stray `%` stays. */
function attributeOf(value: string): string {
  return value.replaceAll(/(?:%[0-9a-f]{2})+/gi, (encoded) =>
    Buffer.from(encoded.replaceAll('%', ''), 'hex').toString('utf8'),
  );
}

function textsOf(value: unknown): MessageHeaders {
  if (!isObject(value)) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}
