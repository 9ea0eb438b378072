import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { labelValue } from '../../src/alert/index.ts';
import {
  decoders,
  encodeCloudEventsMessage,
  type DecodeResult,
  type MessageHeaders,
} from '../../src/source/index.ts';
import { context, nowMs } from './scene.ts';

const attributes = {
  'ce-specversion': '1.0',
  'ce-id': '01J6A7Q3M8',
  'ce-source': '//prom-euw1.example.net/rules/checkout',
  'ce-type': 'net.example.alert.firing.v1',
};
const alert = { labels: { alertname: 'CheckoutSlow' } };

function decode(headers: MessageHeaders, payload: unknown): DecodeResult {
  const bytes = Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload));
  const body = encodeCloudEventsMessage(headers, bytes);
  if (body === null) throw new Error('the headers speak of no CloudEvent');
  return decoders['cloudevents-message'](body, context);
}

describe('binary mode', () => {
  test('the attributes are headers, whatever their case, and the payload is the alert', () => {
    const time = '2026-08-24T09:59:30Z';
    const { alerts, errors } = decode(
      { ...attributes, 'Ce-Time': time, 'Content-Type': 'application/json; charset=utf-8' },
      alert,
    );
    expect(errors).toEqual([]);
    expect(alerts).toMatchObject([{ source: 'cloudevents', startsAtMs: Date.parse(time) }]);
    expect(labelValue(alerts[0]!.labels, 'alertname')).toBe('CheckoutSlow');
  });

  test('a resolved alert ends at the time of its event', () => {
    const { alerts } = decode(
      { ...attributes, 'ce-time': '2026-08-24T09%3A59:30Z' },
      { ...alert, status: 'resolved' },
    );
    expect(alerts[0]?.endsAtMs).toBe(nowMs - 30_000);
  });

  test.each<[string, MessageHeaders, unknown, string]>([
    [
      'no version',
      { ...attributes, 'ce-specversion': '0.3' },
      alert,
      'event.specversion: expected "1.0", got 0.3',
    ],
    ['no id', { 'ce-specversion': '1.0' }, alert, 'event.id: expected a text, got nothing'],
    [
      'a bad time, percent-decoded',
      { ...attributes, 'ce-time': 'around%20%E2%82%AC%205%' },
      alert,
      'event.time: expected an RFC 3339 time, got "around € 5%"',
    ],
    [
      'bytes that are no UTF-8',
      { ...attributes, 'ce-time': '%ff' },
      alert,
      'event.time: expected an RFC 3339 time, got "\uFFFD"',
    ],
    [
      'another data content type',
      { ...attributes, 'content-type': 'text/plain' },
      alert,
      'event.datacontenttype: expected JSON, such as application/json, got text/plain',
    ],
    [
      'the attribute goes before the header',
      { ...attributes, 'content-type': 'application/json', 'ce-datacontenttype': 'application/xml' },
      alert,
      'event.datacontenttype: expected JSON, such as application/json, got application/xml',
    ],
    ['no data', attributes, '', 'event.data: expected JSON, got nothing'],
    ['data that is a list', attributes, [alert], 'event.data: expected an alert as a JSON object, got array'],
    [
      'a label that is no text',
      { ...attributes, 'ce-data': 'x' },
      { labels: { alertname: 5 } },
      'event.data.labels.alertname: expected a string, got number',
    ],
  ])('%s is told', (_, headers, payload, error) => {
    expect(decode(headers, payload)).toEqual({ alerts: [], errors: [error] });
  });

  test('data that is no JSON is told with the place', () => {
    expect(decode(attributes, '{"labels":').errors).toEqual([
      expect.stringMatching(/^event\.data: expected JSON: .*end of JSON/),
    ]);
  });

  test.each(['application/json', 'text/json', 'application/vnd.example.alert+json', 'Application/JSON'])(
    'data of %s is taken',
    (type) => {
      expect(decode({ ...attributes, 'ce-datacontenttype': type }, alert).alerts).toHaveLength(1);
    },
  );
});

describe('structured mode', () => {
  const event = { specversion: '1.0', id: '1', source: '/s', type: 't', data: alert };

  test('the payload is the event, or a batch of them', () => {
    const one = { 'Content-Type': 'application/cloudevents+json; charset=UTF-8' };
    expect(decode(one, event).alerts).toHaveLength(1);
    const batch = decode({ 'content-type': 'application/cloudevents-batch+json' }, [
      event,
      { ...event, id: '' },
    ]);
    expect(batch.alerts).toHaveLength(1);
    expect(batch.errors).toEqual(['events[1].id: expected a text, got ']);
  });

  test('another format of events is refused by name', () => {
    expect(decode({ 'content-type': 'application/cloudevents+avro' }, event).errors).toEqual([
      'content-type: expected application/cloudevents+json or application/cloudevents-batch+json, got application/cloudevents+avro',
    ]);
  });

  test('without headers too', () => {
    const { alerts, errors } = decoders.json(Buffer.from(JSON.stringify([event, alert])), context);
    expect([alerts.map(({ source }) => source), errors]).toEqual([['cloudevents', 'json'], []]);
    expect(decoders.json(Buffer.from('{"specversion":"1.0"}'), context).errors).toEqual([
      'event.id: expected a text, got nothing',
    ]);
  });
});

test('headers of something else leave a message plain JSON', () => {
  const headers = {
    'Nats-Msg-Id': '1',
    'Content-Type': 'application/json',
    'ce-team': 'x',
    traceparent: 'y',
  };
  expect(encodeCloudEventsMessage(headers, Buffer.from('{}'))).toBeNull();
});

test('no headers and no payload make the decoder throw, and every percent-encoding is undone', () => {
  const value = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('1.0', '%', '%f', '%00', '%c3%28'));
  const headers = fc.dictionary(
    fc.oneof(fc.constantFrom(...Object.keys(attributes), 'content-type', 'ce-time', 'ce-__proto__'), value),
    value,
  );
  fc.assert(
    fc.property(headers, fc.uint8Array(), (some, payload) => {
      const body = encodeCloudEventsMessage(some, payload);
      if (body !== null)
        expect(decoders['cloudevents-message'](body, context).errors).not.toContain(undefined);
    }),
  );
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 5 }), (text) => {
      const encoded = encodeURIComponent(text);
      const told = decode({ ...attributes, 'ce-specversion': encoded }, alert).errors[0];
      expect(told).toBe(`event.specversion: expected "1.0", got ${text}`);
    }),
  );
});
