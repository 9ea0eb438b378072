import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLabels, fingerprint } from '../../src/alert/index.ts';
import {
  decodeReceived,
  decodeRequest,
  decoders,
  encodeReceived,
  isEncodedReceived,
  type DecodeResult,
  type SourceFormat,
} from '../../src/source/index.ts';
import { context } from './scene.ts';

const anything = fc.anything({ withBigInt: false, withNullPrototype: true, maxDepth: 4 });

/** Objects that are nearly alerts: each field is right or random. */
const nearlyAlert = fc.record(
  {
    labels: fc.oneof(fc.dictionary(fc.string(), fc.oneof(fc.string({ unit: 'binary' }), anything)), anything),
    annotations: fc.oneof(fc.dictionary(fc.string(), fc.string()), anything),
    startsAt: fc.oneof(fc.date({ noInvalidDate: true }), anything),
    endsAt: fc.oneof(fc.date({ noInvalidDate: true }), anything),
    status: fc.oneof(fc.constantFrom('firing', 'resolved'), anything),
    generatorURL: fc.oneof(fc.webUrl(), anything),
    data: anything,
  },
  { requiredKeys: [] },
);

const bodies = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc.json().map((text) => Buffer.from(text)),
  fc
    .oneof(fc.array(nearlyAlert), nearlyAlert, fc.record({ alerts: fc.array(nearlyAlert) }))
    .map((value) => Buffer.from(JSON.stringify(value) ?? '')),
);

test('no bytes make a decoder throw; what it takes is sound, and what it does not take is told', () => {
  fc.assert(
    fc.property(bodies, (body) => {
      for (const decode of Object.values(decoders)) check(decode(body, context));
    }),
    { numRuns: 500 },
  );
});

test('a request that is kept as it came is read again as it was read first', () => {
  const formats = fc.constantFrom(...(Object.keys(decoders) as SourceFormat[]));
  fc.assert(
    fc.property(bodies, formats, fc.string({ unit: 'binary' }), (body, format, defaultDomain) => {
      const received = { format, context: { ...context, defaultDomain }, aheadMs: 0, body };
      const bytes = encodeReceived(4711, received);
      expect(isEncodedReceived(bytes)).toBe(true);
      expect(decodeReceived(bytes)).toEqual({
        kind: 'alerts',
        timeMs: 4711,
        payload: decoders[format](body, received.context).alerts,
      });
      const ahead = { ...received, aheadMs: 3_600_000 };
      expect(decodeReceived(encodeReceived(4711, ahead)).payload).toEqual(decodeRequest(ahead).alerts);
      expect(decodeRequest(ahead).alerts.map(({ endsAtMs }) => endsAtMs - 3_600_000)).toEqual(
        decodeRequest(received).alerts.map(({ endsAtMs }) => endsAtMs),
      );
    }),
    { numRuns: 300 },
  );
});

function check({ alerts, errors }: DecodeResult): void {
  for (const error of errors)
    expect(error).toMatch(/^[a-z]+(\[\d+\])?(\..*)?: (?:expected|at least|start time)/s);
  for (const alert of alerts) {
    expect(alert.labels.length).toBeGreaterThan(0);
    expect(alert.fingerprint).toBe(fingerprint(alert.labels));
    expect(createLabels(pairs(alert.labels))).toEqual(alert.labels);
    expect(createLabels(pairs(alert.annotations))).toEqual(alert.annotations);
    expect(alert.startsAtMs).toBeLessThanOrEqual(alert.endsAtMs);
    expect(Number.isInteger(alert.startsAtMs) && Number.isInteger(alert.endsAtMs)).toBe(true);
    expect([...alert.labels, ...alert.annotations].every((text) => text.isWellFormed())).toBe(true);
  }
}

function pairs(labels: readonly string[]): [string, string][] {
  return Array.from({ length: labels.length / 2 }, (_, i) => [labels[2 * i]!, labels[2 * i + 1]!]);
}
