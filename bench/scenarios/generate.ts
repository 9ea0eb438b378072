import { createRandom } from './random.ts';
import { shopServices, type ShopService } from './shop.ts';

/** One report as a monitoring system would send it. `faultId` is the truth and never part of what is sent. */
export interface ScenarioReport {
  readonly atMs: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAtMs: number;
  /** Set where the report says that it is over. */
  readonly endsAtMs: number | null;
  readonly faultId: string | null;
}

export interface Scenario {
  readonly services: readonly ShopService[];
  /** In the order of `atMs`. */
  readonly reports: readonly ScenarioReport[];
}

export interface ScenarioOptions {
  readonly seed: number;
  readonly startMs: number;
  readonly serviceCount: number;
  /** About how many reports come out: the instances of each service are chosen for it. */
  readonly reportCount: number;
}

const minuteMs = 60_000;
const diskFault = 'payments-db-disk-full';

/** A condition that fires for a while and is sent again and again until it is over. */
interface Condition {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: (nowMs: number) => Readonly<Record<string, string>>;
  readonly fromMs: number;
  readonly toMs: number;
  readonly everyMs: number;
  readonly faultId: string | null;
}

/**
 * A bad morning of 45 minutes: the disk of `payments-db` fills, its callers fail one after the other along the dependency graph, and
 * all recovers; meanwhile heartbeats, flapping health checks and unrelated troubles go on. Deterministic in its options.
 */
export function generateScenario({ seed, startMs, serviceCount, reportCount }: ScenarioOptions): Scenario {
  const random = createRandom(seed);
  const services = shopServices(serviceCount);
  const conditions = [
    ...diskFull(services, startMs, random),
    ...flapping(services, startMs, random),
    ...noise(services, startMs, random),
  ];
  const fixed = conditions.reduce(
    (sum, { fromMs, toMs, everyMs }) => sum + Math.ceil((toMs - fromMs) / everyMs) + 1,
    0,
  );
  conditions.push(...heartbeats(services, startMs, Math.max(0, reportCount - fixed)));
  const reports = conditions.flatMap((condition) => reportsOf(condition, random));
  return { services, reports: reports.sort((a, b) => a.atMs - b.atMs) };
}

/** The fault: the disk first, then slow writes, then every caller upstream with a lag a hop, on each of its pods. */
function diskFull(services: readonly ShopService[], startMs: number, random: () => number): Condition[] {
  const beginMs = startMs + 5 * minuteMs;
  const endMs = startMs + 38 * minuteMs;
  const at = (minutes: number): number => beginMs + minutes * minuteMs;
  const db = { service: 'payments-db', cluster: 'eu-1', environment: 'prod' };
  const conditions: Condition[] = [
    {
      labels: {
        ...db,
        alertname: 'DiskWillFill',
        severity: 'warning',
        instance: 'pg-pay-0',
        device: '/dev/sdb',
      },
      annotations: (nowMs) => ({
        summary: `disk /dev/sdb on pg-pay-0 is ${Math.min(97, 85 + Math.round((nowMs - beginMs) / minuteMs))}% full`,
      }),
      fromMs: at(0),
      toMs: endMs,
      everyMs: 15_000,
      faultId: diskFault,
    },
    {
      labels: {
        ...db,
        alertname: 'DiskFull',
        severity: 'critical',
        instance: 'pg-pay-0',
        device: '/dev/sdb',
      },
      annotations: () => ({ summary: 'disk /dev/sdb on pg-pay-0 is full: no space left on device' }),
      fromMs: at(3),
      toMs: endMs,
      everyMs: 15_000,
      faultId: diskFault,
    },
    {
      labels: { ...db, alertname: 'PostgresWritesFailing', severity: 'critical', instance: 'pg-pay-0' },
      annotations: (nowMs) => ({
        summary: `database refuses writes: ${100 + (((nowMs / 1000) % 400) | 0)} failed transactions in 1m`,
      }),
      fromMs: at(3.5),
      toMs: endMs,
      everyMs: 15_000,
      faultId: diskFault,
    },
  ];
  for (const [name, hops] of callers(services, 'payments-db')) {
    for (let pod = 0; pod < 12; pod++) {
      const podName = `${name}-${suffix(random, 9)}-${suffix(random, 5)}`;
      const fromMs = at(4 + hops * 1.5 + random());
      const toMs = endMs + (1 + hops + random()) * minuteMs;
      const shared = { service: name, cluster: 'eu-1', environment: 'prod', pod: podName };
      conditions.push(
        {
          labels: { ...shared, alertname: 'HighErrorRate', severity: hops <= 2 ? 'critical' : 'error' },
          annotations: (nowMs) => ({
            summary: `${name} error rate is ${10 + (((nowMs / 7919) % 50) | 0)}% on ${podName}`,
          }),
          fromMs,
          toMs,
          everyMs: 15_000,
          faultId: diskFault,
        },
        {
          labels: { ...shared, alertname: 'HighLatency', severity: 'warning' },
          annotations: (nowMs) => ({
            summary: `${name} p99 latency is ${900 + (((nowMs / 31) % 3000) | 0)}ms on ${podName}`,
          }),
          fromMs: fromMs + 20_000,
          toMs,
          everyMs: 15_000,
          faultId: diskFault,
        },
      );
    }
  }
  return conditions;
}

/** Everything that calls `name`, directly or not, with the number of hops. */
function callers(services: readonly ShopService[], name: string): Map<string, number> {
  const hops = new Map<string, number>();
  let front = [name];
  for (let distance = 1; front.length > 0; distance++) {
    const next = services.filter(
      (service) => service.depends_on.some((callee) => front.includes(callee)) && !hops.has(service.name),
    );
    for (const service of next) hops.set(service.name, distance);
    front = next.map((service) => service.name);
  }
  return hops;
}

/** Health checks that come and go every minute or two. */
function flapping(services: readonly ShopService[], startMs: number, random: () => number): Condition[] {
  const conditions: Condition[] = [];
  for (const { name } of services.slice(-3)) {
    for (let minute = 1 + random(); minute < 43; minute += 1.5 + random()) {
      conditions.push({
        labels: {
          alertname: 'HealthCheckFailed',
          severity: 'warning',
          service: name,
          cluster: 'eu-1',
          environment: 'prod',
          instance: `${name}-0`,
        },
        annotations: () => ({ summary: `health check of ${name} fails` }),
        fromMs: startMs + minute * minuteMs,
        toMs: startMs + (minute + 0.6) * minuteMs,
        everyMs: 15_000,
        faultId: null,
      });
    }
  }
  return conditions;
}

const troubles = [
  ['CertificateExpiresSoon', 'warning', 'certificate expires in 13 days'],
  ['BatchJobLate', 'warning', 'nightly batch is 40 minutes late'],
  ['CpuHigh', 'warning', 'cpu usage is 92%'],
  ['QueueBacklog', 'error', 'queue holds 12000 messages'],
  ['BackupFailed', 'error', 'backup failed: permission denied'],
] as const;

/** Troubles that have nothing to do with it, each on one service for a while. */
function noise(services: readonly ShopService[], startMs: number, random: () => number): Condition[] {
  return Array.from({ length: 12 }, (_, index) => {
    const [alertname, severity, summary] = troubles[index % troubles.length]!;
    const service = services[16 + Math.floor(random() * (services.length - 16))]!.name;
    const minute = random() * 35;
    return {
      labels: {
        alertname,
        severity,
        service,
        cluster: 'eu-1',
        environment: 'prod',
        instance: `${service}-${index}`,
      },
      annotations: () => ({ summary: `${service}: ${summary}` }),
      fromMs: startMs + minute * minuteMs,
      toMs: startMs + (minute + 3 + random() * 6) * minuteMs,
      everyMs: 30_000,
      faultId: null,
    };
  });
}

/** Watchdogs that always fire, as many as it takes to make up the number of reports. */
function heartbeats(services: readonly ShopService[], startMs: number, reportCount: number): Condition[] {
  const rounds = 90;
  return Array.from({ length: Math.round(reportCount / rounds) }, (_, index) => {
    const service = services[index % services.length]!.name;
    return {
      labels: {
        alertname: 'Watchdog',
        severity: 'none',
        service,
        cluster: 'eu-1',
        environment: 'prod',
        instance: `prometheus-${index}`,
      },
      annotations: () => ({ summary: 'alerting works' }),
      fromMs: startMs + (index % 30) * 1000,
      toMs: startMs + 45 * minuteMs,
      everyMs: (45 * minuteMs) / rounds,
      faultId: null,
    };
  });
}

function reportsOf(
  { labels, annotations, fromMs, toMs, everyMs, faultId }: Condition,
  random: () => number,
): ScenarioReport[] {
  const reports: ScenarioReport[] = [];
  const shift = Math.floor(random() * 1000);
  const startsAtMs = Math.floor(fromMs);
  for (let atMs = startsAtMs + shift; atMs < toMs; atMs += everyMs) {
    reports.push({
      atMs: Math.floor(atMs),
      labels,
      annotations: annotations(atMs),
      startsAtMs,
      endsAtMs: null,
      faultId,
    });
  }
  const endsAtMs = Math.floor(toMs);
  reports.push({
    atMs: endsAtMs + shift,
    labels,
    annotations: annotations(toMs),
    startsAtMs,
    endsAtMs,
    faultId,
  });
  return reports;
}

/** The random tail of a pod's name: Kubernetes leaves vowels out. */
function suffix(random: () => number, length: number): string {
  const alphabet = 'bcdfghjklmnpqrstvwxz2456789';
  return Array.from({ length }, () => alphabet[Math.floor(random() * alphabet.length)]).join('');
}

/** A report as `POST /api/v2/alerts` takes it. */
export function wireReport({
  labels,
  annotations,
  startsAtMs,
  endsAtMs,
}: ScenarioReport): Record<string, unknown> {
  return {
    labels,
    annotations,
    startsAt: new Date(startsAtMs).toISOString(),
    ...(endsAtMs === null ? {} : { endsAt: new Date(endsAtMs).toISOString() }),
  };
}
