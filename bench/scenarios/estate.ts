import { cascade, type Fault } from './cascade.ts';
import { minuteMs, reportsOf, secondMs, type Condition, type ScenarioReport } from './condition.ts';
import { serviceGraph } from './graph.ts';
import { createRandom } from './random.ts';
import type { ShopService } from './shop.ts';

export interface EstateOptions {
  readonly seed: number;
  readonly startMs: number;
  /** 20 to 2,000 are usual. */
  readonly serviceCount: number;
  /** Over two hours; every third begins within two minutes of the one before. */
  readonly faultCount: number;
}

/** A report, and how it came: `isEvent` says that its sender does not say when it ends. */
export interface EstateReport extends ScenarioReport {
  readonly isEvent: boolean;
}

export interface Estate {
  readonly services: readonly ShopService[];
  readonly faults: readonly Fault[];
  /** In the order of `atMs`. */
  readonly reports: readonly EstateReport[];
}

const lastsMs = 120 * minuteMs;

/**
 * Two hours of a system of many services: faults that cascade along its calls, several at once, amid health checks that flap and troubles of
 * their own; some alerts are told by a second monitor in other words, some name no service, and clocks differ. Deterministic in its options.
 */
export function generateEstate({ seed, startMs, serviceCount, faultCount }: EstateOptions): Estate {
  const random = createRandom(seed);
  const services = serviceGraph(serviceCount, random);
  const faults: Fault[] = [];
  let atMs = startMs;
  for (let index = 0; index < faultCount; index++) {
    const isTwin = index % 3 === 2;
    atMs = isTwin
      ? atMs + 2 * minuteMs * random()
      : startMs + ((index + random() * 0.5) / faultCount) * (lastsMs - 40 * minuteMs) + 5 * minuteMs;
    const root = services[Math.floor(random() * services.length * 0.8)]!.name;
    faults.push(cascade(services, { id: `fault-${index + 1}`, root, atMs, random }));
  }
  const conditions = [...faults.flatMap((fault) => fault.conditions), ...noise(services, startMs, random)];
  const reports = conditions.flatMap((condition) => told(condition, random));
  return { services, faults, reports: reports.sort((a, b) => a.atMs - b.atMs) };
}

/** Health checks that come and go, and troubles that nothing follows from. */
function noise(services: readonly ShopService[], startMs: number, random: () => number): Condition[] {
  const conditions: Condition[] = [];
  const any = (): string => services[Math.floor(random() * services.length)]!.name;
  const add = (alertname: string, text: string, service: string, fromMs: number, forMs: number): void => {
    conditions.push({
      labels: {
        alertname,
        severity: 'warning',
        service,
        instance: `${service}-${Math.floor(random() * 4)}`,
        cluster: 'eu-1',
        environment: 'prod',
      },
      annotations: () => ({ summary: `${text} on ${service}` }),
      fromMs,
      toMs: fromMs + forMs,
      everyMs: 60 * secondMs,
      faultId: null,
    });
  };
  for (let i = 0; i < 3; i++) {
    const service = any();
    for (
      let fromMs = startMs + random() * 10 * minuteMs;
      fromMs < startMs + lastsMs;
      fromMs += (2 + 3 * random()) * minuteMs
    )
      add('HealthCheckFailed', 'health check fails', service, fromMs, (0.5 + random()) * minuteMs);
  }
  const troubles = [
    'BatchJobLate',
    'CertificateExpiresSoon',
    'QueueBacklog',
    'BackupFailed',
    'CpuHigh',
    'LogVolumeHigh',
  ];
  for (let i = 0; i < 12 + services.length / 25; i++) {
    const name = troubles[Math.floor(random() * troubles.length)]!;
    add(
      name,
      name.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase(),
      any(),
      startMs + random() * lastsMs,
      (3 + 10 * random()) * minuteMs,
    );
  }
  return conditions;
}

/** A condition as monitors tell it: some name no service, and some things are told by two, each on its own clock. */
function told(condition: Condition, random: () => number): EstateReport[] {
  const { service = '', ...rest } = condition.labels;
  const isNameless = random() < 0.08;
  const labels = isNameless ? rest : condition.labels;
  const reports = reportsOf({ ...condition, labels }).map((report) => ({ ...report, isEvent: false }));
  if (condition.faultId === null || random() > 0.25) return reports;
  const skewMs = (random() - 0.5) * 10 * secondMs;
  const { alertname = '', severity = '' } = rest;
  const second = {
    labels: {
      alertname: `[Triggered] ${alertname.replace(/([a-z])([A-Z])/g, '$1 $2')} on ${service}`,
      severity: severity === 'critical' ? 'error' : severity,
      service,
      env: 'prod',
      monitor: 'synthetics',
    },
    annotations: () => ({
      summary: `${alertname.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase()} on ${service}`,
    }),
  };
  const [first, last] = [reports[0]!, reports.at(-1)!];
  return [
    ...reports,
    ...[first, last].map((report) => ({
      ...report,
      labels: second.labels,
      annotations: second.annotations(),
      atMs: Math.max(first.atMs - 4000, Math.round(report.atMs + 6000 * random())),
      startsAtMs: Math.round(report.startsAtMs + skewMs),
      isEvent: true,
    })),
  ];
}
