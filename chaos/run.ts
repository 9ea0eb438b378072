/**
 * Runs a whole fleet of real processes, strikes them at random, and looks whether anything was lost, doubled or turned round:
 * `npm run chaos`.
 *
 *   --seed <n>            which faults strike whom and when; by the time of day unless said otherwise
 *   --minutes <n>         how long; 1 unless said otherwise
 *   --rate <n>            alerts a second; 60 unless said otherwise
 *   --keep                keeps the folder with all logs also when everything was well
 *
 * Ends with 1 when something was wrong, and says where the logs are.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { findBinary, testServers } from '../test/support/servers.ts';
import { runChaos } from './chaos.ts';
import { tableOf } from './report.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    minutes: { type: 'string', default: '1' },
    rate: { type: 'string', default: '60' },
    keep: { type: 'boolean', default: false },
  },
});
const seed = values.seed === undefined ? Date.now() : positive('seed', values.seed);
const minutes = positive('minutes', values.minutes);
const alertsPerSecond = positive('rate', values.rate);
for (const { binary } of [testServers.nats, testServers.redis])
  if (findBinary(binary) === null) refuse(`${binary} must be installed: signals do not reach one in Docker`);

const folder = await mkdtemp(join(tmpdir(), 'tocsin-chaos-'));
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
const again = `npm run chaos -- --seed ${seed} --minutes ${minutes}${values.rate === '60' ? '' : ` --rate ${alertsPerSecond}`}`;
let isWell = false;
try {
  const checks = await runChaos({ seed, minutes, alertsPerSecond, folder, stop: stop.signal, say });
  say(tableOf(checks));
  isWell = checks.every(({ violations }) => violations.length === 0);
} catch (error) {
  say(
    stop.signal.aborted
      ? 'interrupted'
      : error instanceof Error
        ? (error.stack ?? error.message)
        : String(error),
  );
}
console.log(
  `seed ${seed}: ${isWell ? 'nothing was lost, doubled or turned round' : 'NOT WELL'}\nAgain: ${again}`,
);
if (isWell && !values.keep) await rm(folder, { recursive: true, force: true });
else console.log(`Logs: ${folder}`);
process.exit(isWell ? 0 : 1);

function say(text: string): void {
  console.log(text);
}

function positive(name: string, text: string): number {
  const number = Number(text);
  if (!Number.isFinite(number) || number <= 0) refuse(`--${name} is a number above zero, not ${text}`);
  return number;
}

function refuse(message: string): never {
  console.error(message);
  process.exit(2);
}
