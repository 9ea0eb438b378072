import { describe, expect, test } from 'vitest';
import { callersOf } from '../../bench/scenarios/shop.ts';
import {
  diskFault,
  generateScenario,
  wireReport,
  type ScenarioReport,
} from '../../bench/scenarios/generate.ts';
import { fingerprint, labelsOf } from '../../src/alert/index.ts';
import { servicesConfig } from '../../src/incident/index.ts';
import { decoders } from '../../src/source/index.ts';

const startMs = Date.parse('2026-08-24T10:00:00Z');
const minuteMs = 60_000;
const options = { seed: 7, startMs, serviceCount: 40, reportCount: 40_000 };
const scenario = generateScenario(options);
const { services, reports } = scenario;

/** The reports of each series, in order. */
const series = Map.groupBy(reports, ({ labels }) => fingerprint(labelsOf(labels)));

/** The series of an alert name. */
const seriesOf = (alertname: string): ScenarioReport[][] =>
  [...series.values()].filter(([first]) => first?.labels['alertname'] === alertname);

function firstOf(alertname: string, service: string): number {
  const first = reports.find(
    ({ labels }) => labels['alertname'] === alertname && labels['service'] === service,
  );
  return first ? first.atMs - startMs : NaN;
}

test('the same options give the same scenario, another seed another one', () => {
  expect(JSON.stringify(generateScenario(options))).toBe(JSON.stringify(scenario));
  expect(JSON.stringify(generateScenario({ ...options, seed: 8 }))).not.toBe(JSON.stringify(scenario));
});

test.each([1, 7, 99])('seed %i: about as many reports as asked for, in order, within 45 minutes', (seed) => {
  const { reports } = generateScenario({ ...options, seed });
  expect(Math.abs(reports.length - 40_000)).toBeLessThan(1500);
  expect(reports.every(({ atMs }, index) => index === 0 || atMs >= reports[index - 1]!.atMs)).toBe(true);
  expect(reports[0]!.atMs).toBeGreaterThanOrEqual(startMs);
  expect(reports.at(-1)!.atMs).toBeLessThanOrEqual(startMs + 45 * minuteMs);
});

test('every series has resolved at the end, and is sent every 15 to 60 seconds until then', () => {
  for (const sent of series.values()) {
    expect(sent.at(-1)?.endsAtMs).toBe(sent.at(-1)?.atMs);
    for (const [index, report] of sent.entries()) {
      const next = sent[index + 1];
      if (!next || report.endsAtMs !== null) continue;
      expect(next.atMs - report.atMs).toBeLessThanOrEqual(60_000);
      if (next.endsAtMs === null) expect(next.atMs - report.atMs).toBeGreaterThanOrEqual(15_000);
    }
  }
});

describe('the fault', () => {
  const fault = reports.filter(({ faultId }) => faultId === diskFault);
  const affected = callersOf(services, 'payments-db');

  test('is told of by the database and everything that calls it, and by nothing else', () => {
    const told = new Set(fault.map(({ labels }) => labels['service']));
    expect(told).toEqual(new Set(['payments-db', ...affected.keys()]));
    expect([...affected]).toEqual([
      ['payments-api', 1],
      ['ledger-export', 1],
      ['checkout-api', 2],
      ['refund-worker', 2],
      ['api-gateway', 3],
      ['web-frontend', 4],
    ]);
  });

  test('begins with the disk, goes on with slow queries and failing writes, and climbs to the callers hop by hop', () => {
    const story = [
      firstOf('DiskWillFill', 'payments-db'),
      firstOf('PostgresSlowQueries', 'payments-db'),
      firstOf('DiskFull', 'payments-db'),
      firstOf('PostgresWritesFailing', 'payments-db'),
      ...['payments-api', 'checkout-api', 'api-gateway', 'web-frontend'].map((name) =>
        firstOf('HighErrorRate', name),
      ),
    ];
    expect(story).toEqual(story.toSorted((a, b) => a - b));
    expect(story[0]).toBe(5 * minuteMs);
    for (const name of affected.keys())
      expect(firstOf('HighLatency', name)).toBeLessThan(firstOf('HighErrorRate', name));
  });

  test('makes up most of the storm', () => {
    expect(fault.length / reports.length).toBeGreaterThan(0.7);
  });
});

describe('the background', () => {
  const rest = reports.filter(({ faultId }) => faultId === null);

  test('touches no service that the fault touches', () => {
    const affected = new Set(['payments-db', ...callersOf(services, 'payments-db').keys()]);
    expect(rest.filter(({ labels }) => affected.has(labels['service'] ?? ''))).toEqual([]);
  });

  test('holds heartbeats, health checks that flap, and unrelated troubles', () => {
    expect(seriesOf('Watchdog')).toHaveLength(30);
    const flapping = seriesOf('HealthCheckFailed');
    expect(flapping).toHaveLength(3);
    for (const sent of flapping)
      expect(sent.filter(({ endsAtMs }) => endsAtMs !== null).length).toBeGreaterThan(12);
    for (const name of [
      'CertificateExpiresSoon',
      'BatchJobLate',
      'CpuHigh',
      'QueueBacklog',
      'BackupFailed',
    ]) {
      expect(seriesOf(name).length).toBeGreaterThan(0);
    }
  });
});

describe('the catalog', () => {
  test('is a valid section `services`, without circles, whose names all exist', () => {
    const parsed = servicesConfig.parse(services);
    const names = new Set(parsed.map(({ name }) => name));
    expect(names.size).toBe(40);
    for (const { name, depends_on } of parsed) {
      for (const callee of depends_on) expect(names).toContain(callee);
      expect(callersOf(services, name).has(name)).toBe(false);
    }
  });

  test('may be smaller or larger', () => {
    expect(generateScenario({ ...options, serviceCount: 16, reportCount: 5000 }).services).toHaveLength(16);
    expect(generateScenario({ ...options, serviceCount: 60, reportCount: 5000 }).services).toHaveLength(60);
    expect(() => generateScenario({ ...options, serviceCount: 5 })).toThrow(RangeError);
  });
});

test('every report is accepted by the source, and none tells the truth about itself', () => {
  const body = new TextEncoder().encode(JSON.stringify(reports.map(wireReport)));
  const context = {
    nowMs: startMs + 45 * minuteMs,
    resolveTimeoutMs: 300_000,
    defaultDomain: 'default',
    domainLabel: 'domain',
  };
  const { alerts, errors } = decoders.alertmanager(body, context);
  expect(errors).toEqual([]);
  expect(alerts).toHaveLength(reports.length);
  expect(JSON.stringify(reports.map(wireReport))).not.toContain(diskFault);
});
