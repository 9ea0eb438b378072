/**
 * What a new signal costs correlation among 1,000 to 1,000,000 open ones, all of the last ten minutes so that every one may be its company:
 *
 *   node bench/correlate-open.ts [most]
 *
 * Signals on as many services as a hundredth of them, each on one of four machines, of forty kinds of alerts, in four clusters; services call
 * each other. Prints the CPU time of the stage for a signal, its median and 99th percentile, over the last 2,000 of each size.
 */
import { labelsOf, type Alert } from '../src/alert/index.ts';
import { correlateConfig, createCorrelateStage } from '../src/correlate/index.ts';
import { Fold } from '../src/engine/index.ts';
import {
  createFlow,
  servicesConfig,
  type Flow,
  type LogEntry,
  type Signal,
  type TocsinStage,
} from '../src/incident/index.ts';
import { createRandom } from './scenarios/random.ts';

const most = Number(process.argv[2] ?? 1_000_000);
const startMs = 1_767_571_200_000;
const measuredCount = 2000;
const signatures = Array.from({ length: 40 }, (_, kind) => {
  const random = createRandom(kind + 1);
  return Array.from({ length: 128 }, () => Math.floor(random() * 2 ** 32));
});

console.log('open signals    median us    p99 us    mean us    candidates');
for (let count = 1000; count <= most; count *= 10) await measure(count);

async function measure(count: number): Promise<void> {
  const random = createRandom(count);
  const serviceCount = Math.max(20, count / 100);
  const services = servicesConfig.parse(
    Array.from({ length: serviceCount }, (_, i) => ({
      name: `service-${i}`,
      depends_on: i === 0 ? [] : [`service-${Math.floor(random() * i)}`],
    })),
  );
  let next: Signal | null = null;
  let spentMs = 0;
  const fold = new Fold<LogEntry, Flow>({
    stages: [
      [
        'feed',
        () => ({
          name: 'feed',
          onFrame: ({ flow }) =>
            void (flow.signalChanges = next ? [{ change: 'opened', signal: next, reasons: [] }] : []),
        }),
      ],
      [
        'correlate',
        (context): TocsinStage => {
          const stage = createCorrelateStage(context);
          return {
            name: 'correlate',
            restore: (entry) => stage.restore?.(entry),
            onTimer: (key, frame) => stage.onTimer?.(key, frame),
            onFrame(frame) {
              const fromMs = performance.now();
              stage.onFrame(frame);
              spentMs = performance.now() - fromMs;
            },
          };
        },
      ],
    ],
    createFlow,
  });
  const payload = { services, correlate: correlateConfig.parse({}) };
  await fold.apply({ firstPosition: 1, entries: [{ kind: 'config', timeMs: startMs, payload }] });
  const times: number[] = [];
  let candidates = 0;
  for (let i = 0; i < count; i++) {
    const timeMs = startMs + Math.floor((i / count) * 590_000);
    next = signalOf(i, serviceCount, random, timeMs);
    const { frames } = await fold.apply({
      firstPosition: fold.position + 1,
      entries: [{ kind: 'alerts', timeMs, payload: [] as Alert[] }],
    });
    if (i >= count - measuredCount) times.push(spentMs * 1000);
    for (const { flow } of frames)
      for (const { change } of flow.candidateChanges) if (change === 'opened') candidates++;
  }
  times.sort((a, b) => a - b);
  const mean = times.reduce((sum, time) => sum + time, 0) / times.length;
  const at = (share: number): string => times[Math.floor(times.length * share)]!.toFixed(0);
  console.log(
    `${count.toLocaleString('en').padStart(12)}${at(0.5).padStart(13)}${at(0.99).padStart(10)}${mean.toFixed(0).padStart(11)}${candidates.toLocaleString('en').padStart(14)}`,
  );
}

function signalOf(i: number, serviceCount: number, random: () => number, nowMs: number): Signal {
  const service = `service-${Math.floor(random() * serviceCount)}`;
  const kind = Math.floor(random() * 40);
  const text = `check ${kind} fails`;
  return {
    id: `sig-${i}`,
    domain: 'default',
    labels: labelsOf({
      alertname: `Check${kind}`,
      service,
      instance: `${service}-${Math.floor(random() * 4)}`,
      cluster: `cluster-${Math.floor(random() * 4)}`,
      severity: 'warning',
    }),
    text,
    template: text,
    signature: signatures[kind]!,
    severity: 'warning',
    state: 'firing',
    firstAtMs: nowMs,
    lastAtMs: nowMs,
    resolvedAtMs: null,
    alertCount: 1,
    fingerprints: [],
    fingerprintCount: 1,
    firingCount: 1,
  };
}
