import { fingerprint, labelsOf } from '../src/alert/index.ts';
import { tocsinConfig } from '../src/app/config-schema.ts';
import { createPipeline } from '../src/app/pipeline.ts';
import type { Flow, LogEntry } from '../src/incident/index.ts';
import { laneOf, subjectOf } from '../src/notify/index.ts';
import { createInlineScorer } from '../src/score/index.ts';
import type { Domain } from './domain.ts';
import type { Random } from './random.ts';

const config = JSON.parse(
  JSON.stringify(
    tocsinConfig.parse({
      global: { resolve_timeout: '45s' },
      route: {
        receiver: 'ops',
        group_by: ['alertname'],
        group_wait: '2s',
        group_interval: '8s',
        repeat_interval: '60s',
        routes: [
          {
            receiver: 'incidents',
            group_by: ['incident'],
            matchers: ['severity="critical"'],
            continue: true,
          },
        ],
      },
      receivers: [
        {
          name: 'ops',
          webhook_configs: [{ url: 'http://receiver.test/a' }, { url: 'http://receiver.test/b' }],
        },
        { name: 'incidents', webhook_configs: [{ url: 'http://receiver.test/c' }] },
      ],
      inhibit_rules: [
        {
          source_matchers: ['alertname="ZoneDown"'],
          target_matchers: ['severity="info"'],
          equal: ['zone'],
        },
      ],
      services: [
        { name: 'web', tier: 1, depends_on: ['db'] },
        { name: 'db', tier: 2 },
      ],
    }),
  ),
) as Readonly<Record<string, unknown>>;

/** The stages of the product, from a report to its pages. */
export const productDomain: Domain<LogEntry, Flow> = {
  name: 'product',
  createFold: () => createPipeline({ scorer: createInlineScorer(), withHistory: true }).fold,
  configure: (timeMs) => ({ kind: 'config', timeMs, payload: config }),
  report(random, timeMs, count) {
    if (random.chance(0.08)) return silence(random, timeMs, count);
    const payload = Array.from({ length: random.integer(1, 3) }, () => alert(random, timeMs));
    return { kind: 'alerts', timeMs, payload };
  },
  tick: (timeMs) => ({ kind: 'tick', timeMs, payload: null }),
  resume: (timeMs, atMs) => ({ kind: 'resume', timeMs, payload: { atMs } }),
  claim: (timeMs, payload) => ({ kind: 'claim', timeMs, payload }),
  fact: (timeMs, payload) => ({ kind: 'fact', timeMs, payload }),
  laneOf,
  subjectOf,
  questions: { recall: { similar: [], historyMissing: true } },
  sentKinds: ['notify', 'http-step'],
};

function alert(random: Random, timeMs: number) {
  const alertname = random.pick(['ZoneDown', 'HighLatency', 'DiskFull', 'ErrorRateHigh']);
  const service = random.pick(['web', 'db']);
  const labels = labelsOf({
    alertname,
    service,
    zone: random.pick(['a', 'b']),
    severity: alertname === 'DiskFull' ? 'info' : 'critical',
  });
  const isResolved = random.chance(0.3);
  return {
    fingerprint: fingerprint(labels),
    domain: 'default',
    labels,
    annotations: labelsOf({ summary: `${alertname} of ${service}` }),
    startsAtMs: isResolved ? timeMs - 1 : timeMs,
    endsAtMs: isResolved ? timeMs : timeMs + 45_000,
    endsByTimeout: !isResolved,
    receivedAtMs: timeMs,
    generatorUrl: '',
    source: 'simulation',
  };
}

function silence(random: Random, timeMs: number, count: number): LogEntry {
  const id = `silence-${count}`;
  return {
    kind: 'command',
    timeMs,
    payload: {
      id: `command-${count}`,
      kind: 'silence.set',
      by: 'alex',
      body: {
        id,
        matchers: [
          { name: 'zone', value: random.pick(['a', 'b']), isRegex: false, isEqual: true },
          { name: 'service', value: 'db', isRegex: false, isEqual: true },
        ],
        startsAtMs: timeMs,
        endsAtMs: timeMs + random.integer(5, 40) * 1000,
        createdBy: 'alex',
        comment: '',
      },
    },
  };
}
