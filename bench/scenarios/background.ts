import { minuteMs, secondMs, wander, type Condition } from './condition.ts';
import { createRandom } from './random.ts';
import { callersOf, type ShopService } from './shop.ts';

const place = { cluster: 'eu-1', environment: 'prod' } as const;

export interface BackgroundOptions {
  readonly startMs: number;
  readonly endMs: number;
  readonly seed: number;
}

/** What goes on anyway and has nothing to do with the fault. */
export function background(services: readonly ShopService[], options: BackgroundOptions): Condition[] {
  const affected = callersOf(services, 'payments-db');
  const others = services
    .filter(({ name }) => name !== 'payments-db' && !affected.has(name))
    .map(({ name }) => name);
  return [
    ...heartbeats(options),
    ...flapping(others.slice(-3), options),
    ...troubles(others.slice(0, -3), options),
  ];
}

/** One watchdog for each Prometheus: it has fired for days, and says nothing but that alerting works. */
function heartbeats({ startMs, endMs, seed }: BackgroundOptions): Condition[] {
  const random = createRandom(seed ^ 0x0bea7);
  return Array.from({ length: 30 }, (_, index) => ({
    labels: { ...place, alertname: 'Watchdog', severity: 'none', prometheus: `monitoring/shop-${index}` },
    annotations: () => ({ summary: 'alerting works' }),
    fromMs: startMs + random() * 30 * secondMs,
    toMs: endMs - random() * 30 * secondMs,
    everyMs: 15 * secondMs,
    faultId: null,
    sinceMs: startMs - (2 + index) * 86_400_000,
  }));
}

/** Health checks that come and go every minute or two. */
function flapping(names: readonly string[], { startMs, endMs, seed }: BackgroundOptions): Condition[] {
  const random = createRandom(seed ^ 0xf1a9);
  const conditions: Condition[] = [];
  for (const name of names) {
    for (let fromMs = startMs + (1 + random()) * minuteMs; ;) {
      const toMs = fromMs + (0.4 + 0.4 * random()) * minuteMs;
      if (toMs > endMs - minuteMs) break;
      conditions.push({
        labels: {
          ...place,
          alertname: 'HealthCheckFailed',
          severity: 'warning',
          service: name,
          instance: `${name}-0`,
        },
        annotations: () => ({ summary: `health check of ${name}-0 fails` }),
        fromMs,
        toMs,
        everyMs: 15 * secondMs,
        faultId: null,
      });
      fromMs = toMs + (0.8 + random()) * minuteMs;
    }
  }
  return conditions;
}

/** `lastsMinutes` is the longest that it lasts; some troubles are there from the start to the end. */
const kinds = [
  {
    alertname: 'CertificateExpiresSoon',
    severity: 'warning',
    lastsMinutes: 45,
    text: () => 'certificate expires in 13 days',
  },
  {
    alertname: 'BatchJobLate',
    severity: 'warning',
    lastsMinutes: 25,
    text: (nowMs: number) => `nightly batch is ${wander(nowMs, 20, 60)} minutes late`,
  },
  {
    alertname: 'CpuHigh',
    severity: 'warning',
    lastsMinutes: 4,
    text: (nowMs: number) => `cpu usage is ${wander(nowMs, 88, 99)}%`,
  },
  {
    alertname: 'QueueBacklog',
    severity: 'warning',
    lastsMinutes: 9,
    text: (nowMs: number) => `queue holds ${wander(nowMs, 4000, 19_000)} messages`,
  },
  {
    alertname: 'BackupFailed',
    severity: 'error',
    lastsMinutes: 12,
    text: () => 'backup failed: permission denied',
  },
  {
    alertname: 'CpuHigh',
    severity: 'warning',
    lastsMinutes: 4,
    text: (nowMs: number) => `cpu usage is ${wander(nowMs, 85, 96)}%`,
  },
] as const;

/** Unrelated troubles, each on one service for a while. */
function troubles(names: readonly string[], { startMs, endMs, seed }: BackgroundOptions): Condition[] {
  const random = createRandom(seed ^ 0x70b1e);
  return Array.from({ length: 14 }, (_, index) => {
    const { alertname, severity, lastsMinutes, text } = kinds[index % kinds.length]!;
    const service = names[Math.floor(random() * names.length)]!;
    const lastsMs = lastsMinutes * (0.6 + 0.4 * random()) * minuteMs;
    const fromMs = startMs + 30 * secondMs + random() * Math.max(0, endMs - startMs - minuteMs - lastsMs);
    return {
      labels: { ...place, alertname, severity, service, instance: `${service}-${index}` },
      annotations: (nowMs: number) => ({ summary: `${service}: ${text(nowMs)}` }),
      fromMs,
      toMs: Math.min(fromMs + lastsMs, endMs),
      everyMs: 60 * secondMs,
      faultId: null,
    };
  });
}
