/** Runs the benchmarks one after the other, each in a process of its own: `npm run bench [-- name ...]`. */
import { spawnSync } from 'node:child_process';

const benches = [
  'decode',
  'minhash',
  'lsh',
  'timers',
  'dedup',
  'score',
  'series',
  'history',
  'replay',
  'jetstream',
  'gateway',
  'failover',
  'checkpoint',
  'ingest',
  'memory',
  'dead-receiver',
] as const;

const wanted = process.argv.slice(2);
for (const name of benches) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  console.log(`\n== bench/${name}.ts`);
  const file = new URL(`${name}.ts`, import.meta.url).pathname;
  const { status } = spawnSync(process.execPath, ['--expose-gc', file], { stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
}
