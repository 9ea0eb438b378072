import { background } from './background.ts';
import { minuteMs, reportCountOf, reportsOf, type Condition, type ScenarioReport } from './condition.ts';
import { diskFull } from './disk-full.ts';
import { shopServices, type ShopService } from './shop.ts';

export type { ScenarioReport } from './condition.ts';
export { diskFault } from './disk-full.ts';
export type { ShopService } from './shop.ts';

export interface Scenario {
  readonly services: readonly ShopService[];
  /** In the order of `atMs`. */
  readonly reports: readonly ScenarioReport[];
}

export interface ScenarioOptions {
  readonly seed: number;
  readonly startMs: number;
  /** 16 at least; 40 make up the shop. */
  readonly serviceCount: number;
  /** About how many reports come out: the pods of the failing services are counted for it. At least one pod of each fails. */
  readonly reportCount: number;
}

const lastsMs = 45 * minuteMs;

/**
 * A bad morning of 45 minutes: the disk of `payments-db` fills, its callers fail one after the other along the dependency graph, and
 * all recovers; meanwhile heartbeats, flapping health checks and unrelated troubles go on. Everything has resolved at the end.
 * Deterministic in its options.
 */
export function generateScenario({ seed, startMs, serviceCount, reportCount }: ScenarioOptions): Scenario {
  const services = shopServices(serviceCount);
  const rest = background(services, { startMs, endMs: startMs + lastsMs, seed });
  const fault = (podCount: number): Condition[] => diskFull(services, { startMs, seed, podCount });
  const alone = totalOf(fault(0));
  const perPod = totalOf(fault(20)) - alone;
  const podCount = Math.max(1, Math.round(((reportCount - totalOf(rest) - alone) * 20) / perPod));
  const reports = [...fault(podCount), ...rest].flatMap(reportsOf);
  return { services, reports: reports.sort((a, b) => a.atMs - b.atMs) };
}

function totalOf(conditions: readonly Condition[]): number {
  return conditions.reduce((sum, condition) => sum + reportCountOf(condition), 0);
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
