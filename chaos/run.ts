/**
 * A fleet of real processes under real misfortune: `npm run chaos`.
 *
 *   --seed <n>       of faults, load and receiver; by the time of day unless said otherwise
 *   --minutes <n>    how long faults strike; 1 unless said otherwise
 *   --rate <n>       alerts a second; 60 unless said otherwise
 *   --keep           keeps the folder with logs and configurations, as a failed run does
 *
 * Ends with 1 where something does not hold. A seed repeats what was done, not what the machine made of it.
 */
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Random } from '../simulation/random.ts';
import { checkAcknowledged, checkHistory, checkPages, checkState, type Verdict } from './checks.ts';
import { checkCopies } from './copies.ts';
import { failoverText } from './failover.ts';
import { unleash, type Fault } from './faults.ts';
import { settled } from './fleet-state.ts';
import { HistoryComparison } from './history.ts';
import { Load, type AlertTemplate } from './load.ts';
import { checkProcesses } from './logs.ts';
import { MemoryWatch } from './memory.ts';
import { provideNatsServer } from './nats-server.ts';
import { foldPlainly } from './plain.ts';
import { checkBodies, checkRepeats } from './receipts.ts';
import { leaseMs, openScene, type Scene } from './scene.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    minutes: { type: 'string', default: '1' },
    rate: { type: 'string', default: '60' },
    keep: { type: 'boolean', default: false },
  },
});
const seed = values.seed === undefined ? Date.now() % 1_000_000 : number('seed', values.seed);
const minutes = number('minutes', values.minutes);
const alertsPerSecond = number('rate', values.rate);

/** The machine may have other work, and what waits is much after ten minutes. */
const settlePatienceMs = 600_000;
const templates = JSON.parse(
  readFileSync(
    new URL('../fixtures/outage/01a-alertmanager-v2-post-alerts.request.json', import.meta.url),
    'utf8',
  ),
) as AlertTemplate[];

const natsServer = provideNatsServer();
const scene = await openScene(seed);
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void scene.close().then(() => process.exit(130)));
let isWhole = false;
try {
  isWhole = await run(scene);
} catch (error) {
  console.error(error);
} finally {
  await scene.close();
}
console.log(
  isWhole ? '\nAll of it holds.' : `\nNOT all of it holds. Logs and configurations: ${scene.folder}`,
);
console.log(`Again: npm run chaos -- --seed ${seed} --minutes ${minutes} --rate ${alertsPerSecond}`);
if (isWhole && !values.keep) await rm(scene.folder, { recursive: true, force: true });
process.exit(isWhole ? 0 : 1);

async function run(scene: Scene): Promise<boolean> {
  const { gateways, owners, receiver, victims, nats } = scene;
  const processes = [...gateways, ...owners];
  console.log(`seed ${seed}, ${minutes} min, ${alertsPerSecond} alerts/s; logs in ${scene.folder}`);
  const spared = natsServer.isSound ? '' : '; its servers do not stand still, as it would lose entries';
  console.log(`nats-server ${natsServer.version}${spared}`);
  await settled(scene, settlePatienceMs);
  const random = new Random(`chaos ${seed}`);
  const memory = new MemoryWatch(processes);
  const load = new Load({
    gateways: gateways.map(({ url }) => url),
    natsUrls: nats.urls,
    templates,
    alertsPerSecond,
    random: random.fork('load'),
  });
  await load.start();
  const faults: Fault[] = [];
  const beganMs = performance.now();
  const end = new AbortController();
  const unleashed = unleash(
    {
      victims,
      leaseMs,
      mayPause: (kind) => kind !== 'nats' || natsServer.isSound,
      random: random.fork('faults'),
      onFault: (fault) => noteFault(fault, faults, beganMs),
    },
    end.signal,
  );
  await Promise.race([sleep(minutes * 60_000), unleashed]);
  end.abort();
  await unleashed;
  console.log('All of them run again.');
  receiver.heal();
  await load.finish();
  console.log('The load has ended.');
  await settled(scene, settlePatienceMs);
  memory.stop();
  const statuses = await stopAll(scene);
  const plain = await foldPlainly(scene);
  const history = await HistoryComparison.open(scene.clickhouseUrl, plain, scene.folder);
  const verdicts = [
    await checkAcknowledged(load.ledger, history),
    checkState(plain),
    await checkHistory(history),
    checkCopies(load.ledger, plain),
    checkPages(plain, receiver.receipts),
    checkBodies(plain, receiver.receipts),
    checkRepeats(plain, receiver.receipts, faults),
    memory.verdict(),
    checkProcesses(processes),
    statuses,
  ];
  await history.close();
  console.log(failoverText(faults, owners));
  const { attemptCount, refusedCount } = load.ledger;
  console.log(
    `\n${faults.length} faults: ${countBy(faults, ({ kind, victim }) => `${kind} ${victim.replace(/-\d$/, '')}`)}`,
  );
  console.log(`${attemptCount} requests of senders, ${refusedCount} of them not acknowledged and sent again`);
  console.log(
    `${receiver.receipts.length} requests at the receiver: ${countBy(receiver.receipts, ({ answer }) => answer)}`,
  );
  for (const { name, counts, violations } of verdicts) {
    console.log(`\n${violations.length === 0 ? 'ok ' : 'NOT'} ${name}\n    ${counts}`);
    for (const violation of violations) console.log(`    - ${violation.slice(0, 400)}`);
  }
  return verdicts.every(({ violations }) => violations.length === 0);
}

async function stopAll({ gateways, owners }: Scene): Promise<Verdict> {
  const violations: string[] = [];
  for (const process of [...gateways, ...owners]) {
    const status = await process.stop();
    if (status !== 0) violations.push(`${process.name} ended with ${status ?? 'SIGKILL, after a minute'}`);
  }
  const counts = `${gateways.length + owners.length} processes`;
  return { name: 'who is told to stop stops in good order', counts, violations };
}

function noteFault(fault: Fault, faults: Fault[], startMs: number): void {
  faults.push(fault);
  const { kind, victim, beganMs, lengthMs } = fault;
  console.log(
    `${((beganMs - startMs) / 1000).toFixed(1).padStart(7)} s  ${kind} ${victim} for ${lengthMs} ms`,
  );
}

function countBy<T>(list: readonly T[], key: (one: T) => string): string {
  return [...Map.groupBy(list, key)]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, ones]) => `${name} ${ones.length}`)
    .join(', ');
}

function number(name: string, text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  console.error(`--${name} is a number above 0, not ${text}`);
  return process.exit(2);
}
