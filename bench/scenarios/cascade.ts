import { minuteMs, secondMs, wander, type Condition } from './condition.ts';
import { callersOf, type ShopService } from './shop.ts';

/** What breaks at the root: the alerts that say so, in their order. */
const kinds: readonly (readonly { name: string; severity: string; text: string }[])[] = [
  [
    { name: 'DiskWillFill', severity: 'warning', text: 'disk of {} fills up' },
    { name: 'DiskFull', severity: 'critical', text: 'disk of {} is full: no space left on device' },
    { name: 'WritesFailing', severity: 'critical', text: '{} refuses writes' },
  ],
  [
    { name: 'MemoryHigh', severity: 'warning', text: 'memory of {} is nearly used up' },
    { name: 'OutOfMemoryKilled', severity: 'critical', text: '{} was killed: out of memory' },
  ],
  [
    { name: 'DeploymentFailed', severity: 'critical', text: 'deploy of {} failed: containers crash' },
    { name: 'CrashLooping', severity: 'critical', text: '{} restarts again and again' },
  ],
  [{ name: 'CertificateExpired', severity: 'critical', text: 'certificate of {} has expired' }],
  [
    { name: 'PacketLoss', severity: 'warning', text: 'packets to {} are lost' },
    { name: 'HostUnreachable', severity: 'critical', text: 'host of {} cannot be reached' },
  ],
  [
    { name: 'CpuThrottled', severity: 'warning', text: 'cpu of {} is throttled' },
    { name: 'ConnectionsExhausted', severity: 'critical', text: '{} accepts no more connections' },
  ],
];

export interface Fault {
  readonly id: string;
  readonly root: string;
  readonly conditions: readonly Condition[];
}

/**
 * Something breaks on one service at `atMs`, and its callers feel it hop by hop: they become slow and then fail, after some ten seconds to
 * a minute for each call between, on one to four pods. Sometimes the callers notice before the root does. It all ends the same way.
 */
export function cascade(
  services: readonly ShopService[],
  {
    id,
    root,
    atMs,
    random,
  }: { readonly id: string; readonly root: string; readonly atMs: number; readonly random: () => number },
): Fault {
  const lastsMs = (8 + 20 * random()) * minuteMs;
  const kind = kinds[Math.floor(random() * kinds.length)]!;
  const isLate = random() < 0.15;
  let lateMs = isLate ? lagMs(random) + 20 * secondMs : 0;
  const conditions: Condition[] = [];
  for (const { name, severity, text } of kind) {
    conditions.push(
      condition(
        id,
        { alertname: name, severity, service: root, instance: `${root}-0` },
        () => text.replace('{}', `${root}-0`),
        atMs + lateMs,
        lastsMs,
        random,
      ),
    );
    lateMs += 5 * secondMs + 40 * secondMs * random();
  }
  const reached = new Map([[root, atMs]]);
  for (const [name, hops] of callersOf(services, root)) {
    const service = services.find((each) => each.name === name)!;
    const causes = service.depends_on.flatMap((callee) => reached.get(callee) ?? []);
    if (causes.length === 0 || hops > 4 || random() > 0.9 - 0.12 * hops) continue;
    const beginMs = Math.min(...causes) + lagMs(random);
    reached.set(name, beginMs);
    const podCount = 1 + Math.floor(random() * 4);
    for (let pod = 0; pod < podCount; pod++) {
      const shared = { service: name, pod: `${name}-${Math.floor(random() * 1e9).toString(36)}` };
      const slowMs = beginMs + 15 * secondMs * random();
      const { pod: where } = shared;
      conditions.push(
        condition(
          id,
          { ...shared, alertname: 'HighLatency', severity: 'warning' },
          (nowMs) => `${name} answers in ${wander(nowMs, 900, 3900)}ms on ${where}`,
          slowMs,
          lastsMs,
          random,
        ),
      );
      if (random() < 0.6) {
        conditions.push(
          condition(
            id,
            { ...shared, alertname: 'HighErrorRate', severity: 'critical' },
            (nowMs) => `${wander(nowMs, 10, 60)}% of requests to ${name} fail on ${where}`,
            slowMs + (5 + 50 * random()) * secondMs,
            lastsMs,
            random,
          ),
        );
      }
    }
  }
  return { id, root, conditions };
}

/** Median 20 s, one in twenty above a minute. */
function lagMs(random: () => number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return 20 * secondMs * Math.exp(0.7 * normal);
}

function condition(
  faultId: string,
  labels: Record<string, string>,
  text: (nowMs: number) => string,
  fromMs: number,
  lastsMs: number,
  random: () => number,
): Condition {
  return {
    labels: { ...labels, cluster: 'eu-1', environment: 'prod' },
    annotations: (nowMs) => ({ summary: text(nowMs) }),
    fromMs,
    toMs: fromMs + lastsMs + 60 * secondMs * random(),
    everyMs: (random() < 0.5 ? 30 : 60) * secondMs,
    faultId,
  };
}
