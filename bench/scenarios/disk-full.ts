import { minuteMs, secondMs, wander, type Condition } from './condition.ts';
import { createRandom } from './random.ts';
import { callersOf, type ShopService } from './shop.ts';

/** The fault's id in the truth. */
export const diskFault = 'payments-db-disk-full';

/** When the disk begins to fill and when there is room again, in minutes of the scenario. */
const beginMinute = 5;
const endMinute = 38;

const place = { cluster: 'eu-1', environment: 'prod' } as const;

/**
 * The disk of `payments-db` fills: first it says so itself, then its queries become slow and its writes fail, then its callers
 * become slow and fail one hop after the other, on each of their `podCount` pods. It all ends the same way.
 */
export function diskFull(
  services: readonly ShopService[],
  { startMs, seed, podCount }: { readonly startMs: number; readonly seed: number; readonly podCount: number },
): Condition[] {
  const random = createRandom(seed);
  const conditions = database(startMs);
  for (const [name, hops] of callersOf(services, 'payments-db')) {
    for (let pod = 0; pod < podCount; pod++) conditions.push(...failingPod(name, hops, startMs, random));
  }
  return conditions;
}

function database(startMs: number): Condition[] {
  const beginMs = startMs + beginMinute * minuteMs;
  const shared = { ...place, service: 'payments-db', instance: 'pg-pay-0' };
  const disk = { ...shared, device: '/dev/sdb', mountpoint: '/var/lib/postgresql' };
  const until = (minutes: number): number => startMs + (endMinute + minutes) * minuteMs;
  const after = (minutes: number): number => beginMs + minutes * minuteMs;
  return [
    {
      labels: { ...disk, alertname: 'DiskWillFill', severity: 'warning' },
      annotations: (nowMs) => ({
        summary: `disk /dev/sdb on pg-pay-0 is ${Math.min(99, 85 + Math.round((nowMs - beginMs) / 25_000))}% full and fills up`,
        runbook_url: 'https://runbooks.example.net/postgres/disk',
      }),
      fromMs: after(0),
      toMs: until(0.5),
      everyMs: 30 * secondMs,
      faultId: diskFault,
    },
    {
      labels: { ...shared, alertname: 'PostgresSlowQueries', severity: 'warning' },
      annotations: (nowMs) => ({
        summary: `queries on pg-pay-0 take ${wander(nowMs, 800, 4200)}ms (95th percentile)`,
      }),
      fromMs: after(3.5),
      toMs: until(0.8),
      everyMs: 30 * secondMs,
      faultId: diskFault,
    },
    {
      labels: { ...disk, alertname: 'DiskFull', severity: 'critical' },
      annotations: () => ({
        summary: 'disk /dev/sdb on pg-pay-0 is full: no space left on device',
        runbook_url: 'https://runbooks.example.net/postgres/disk',
      }),
      fromMs: after(5),
      toMs: until(0),
      everyMs: 15 * secondMs,
      faultId: diskFault,
    },
    {
      labels: { ...shared, alertname: 'PostgresWritesFailing', severity: 'critical' },
      annotations: (nowMs) => ({
        summary: `pg-pay-0 refuses writes: ${wander(nowMs, 100, 480)} failed transactions in 1m`,
      }),
      fromMs: after(5.4),
      toMs: until(0.2),
      everyMs: 15 * secondMs,
      faultId: diskFault,
    },
  ];
}

/** A caller waits before it fails, and the more calls there are between, the later; recovery takes the same way. */
function failingPod(name: string, hops: number, startMs: number, random: () => number): Condition[] {
  const pod = `${name}-${suffix(random, 9)}-${suffix(random, 5)}`;
  const shared = { ...place, service: name, pod };
  const beginMs = startMs + beginMinute * minuteMs;
  const toMs = startMs + (endMinute + 0.6 * hops + 1.5 * random()) * minuteMs;
  return [
    {
      labels: { ...shared, alertname: 'HighLatency', severity: 'warning' },
      annotations: (nowMs) => ({
        summary: `${name} answers in ${wander(nowMs, 900, 3900)}ms (99th percentile) on ${pod}`,
      }),
      fromMs: beginMs + (4 + 0.8 * hops + random()) * minuteMs,
      toMs,
      everyMs: (random() < 0.5 ? 30 : 60) * secondMs,
      faultId: diskFault,
    },
    {
      labels: { ...shared, alertname: 'HighErrorRate', severity: hops <= 2 ? 'critical' : 'error' },
      annotations: (nowMs) => ({
        summary: `${wander(nowMs, 10, 60)}% of requests to ${name} fail on ${pod}`,
      }),
      fromMs: beginMs + (5.6 + 1.1 * hops + 1.2 * random()) * minuteMs,
      toMs,
      everyMs: (hops <= 2 ? 15 : 30) * secondMs,
      faultId: diskFault,
    },
  ];
}

/** The random tail of a pod's name: Kubernetes leaves vowels out. */
function suffix(random: () => number, length: number): string {
  const alphabet = 'bcdfghjklmnpqrstvwxz2456789';
  return Array.from({ length }, () => alphabet[Math.floor(random() * alphabet.length)]).join('');
}
