import * as fc from 'fast-check';
import type { Command, LogEntry } from '../../src/incident/index.ts';
import { configOf, entryOf, signalIdOf, startMs, type AlertText } from './scene.ts';

const services = [
  { name: 'web', tier: 1, depends_on: ['checkout', 'search'] },
  { name: 'checkout', tier: 1, sla: 99.95, depends_on: ['db'] },
  { name: 'search', tier: 2, depends_on: ['index'] },
  { name: 'db', tier: 2 },
  { name: 'index', tier: 3 },
];

const alertArbitrary: fc.Arbitrary<AlertText> = fc
  .record({
    domain: fc.constantFrom('acme', 'acme', 'acme', 'acme', 'acme', 'globex'),
    alertname: fc.constantFrom('DiskFull', 'HighLatency', 'ErrorRateHigh'),
    place: fc.constantFrom(
      { service: 'web' },
      { service: 'db' },
      { service: 'checkout' },
      { service: 'index' },
      { host: 'h1' },
      { host: 'h2' },
    ),
    severity: fc.constantFrom('critical', 'critical', 'info'),
  })
  .map(({ domain, alertname, place, severity }) => ({
    domain,
    labels: { alertname, severity, ...(place as Record<string, string>) },
    text: `${alertname} in place 7`,
    isEvent: alertname === 'ErrorRateHigh',
  }));

const incidentId = fc.integer({ min: 1, max: 4 }).map((n) => `INC-${n}`);

const commandArbitrary: fc.Arbitrary<Omit<Command, 'id' | 'by'>> = fc.oneof(
  fc.record({
    kind: fc.constant('incident.merge' as const),
    body: fc.record({
      intoId: incidentId,
      fromIds: fc.uniqueArray(incidentId, { minLength: 1, maxLength: 2 }),
    }),
  }),
  fc.record({
    kind: fc.constant('incident.split' as const),
    body: fc.record({
      incidentId,
      signalIds: fc.array(alertArbitrary.map(signalIdOf), { minLength: 1, maxLength: 3 }),
    }),
  }),
  fc.record({
    kind: fc.constant('incident.undo' as const),
    body: fc.record({ commandId: fc.integer({ min: 0, max: 9 }).map((n) => `c${n}`) }),
  }),
  fc.record({
    kind: fc.constant('incident.resolve' as const),
    body: fc.record({ incidentId, comment: fc.constant('') }),
  }),
  fc.record({
    kind: fc.constant('incident.acknowledge' as const),
    body: fc.record({ incidentId, comment: fc.constant('') }),
  }),
) as fc.Arbitrary<Omit<Command, 'id' | 'by'>>;

const eventArbitrary = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      alerts: fc.array(alertArbitrary, { minLength: 1, maxLength: 3 }),
      resolved: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ command: commandArbitrary }) },
  { weight: 1, arbitrary: fc.record({ recall: incidentId }) },
  { weight: 1, arbitrary: fc.constant({ tick: true as const }) },
);

/** A log of alerts, commands, facts and ticks in two domains, with gaps from nothing to beyond every window. */
export const logArbitrary: fc.Arbitrary<LogEntry[]> = fc
  .array(
    fc.record({
      gapMs: fc.constantFrom(0, 0, 0, 1000, 1000, 1000, 5000, 5000, 30_000, 200_000, 700_000, 4_000_000),
      event: eventArbitrary,
    }),
    { minLength: 5, maxLength: 50, size: 'max' },
  )
  .map((steps) => {
    const payload = configOf({
      services,
      correlate: { retention: '1h', max_idle: '30m', max_signals: 4 },
      triage: { retention: '1h' },
    });
    const entries: LogEntry[] = [{ kind: 'config', timeMs: startMs, payload }];
    let timeMs = startMs;
    let commands = 0;
    for (const { gapMs, event } of steps) {
      timeMs += gapMs;
      if ('alerts' in event) {
        entries.push(
          entryOf(
            timeMs,
            event.alerts.map((alert) => ({ ...alert, resolved: event.resolved })),
          ),
        );
      } else if ('command' in event) {
        entries.push({
          kind: 'command',
          timeMs,
          payload: { id: `c${commands++}`, by: 'ann', ...event.command } as Command,
        });
      } else if ('recall' in event) {
        const outcome = { status: 'failed', code: 'TOC_TEST', message: 'no history' } as const;
        entries.push({
          kind: 'fact',
          timeMs,
          payload: { effectId: `recall/${event.recall}/1`, kind: 'recall', outcome },
        });
      } else entries.push({ kind: 'tick', timeMs, payload: null });
    }
    return entries;
  });
