/**
 * Timers, by which signals expire: what it costs to set one, to take what is due and set it an hour on, and to take, from 10,000 to a
 * million. In time of the processor, so that other work on the machine counts little.
 */
import { mix } from '../src/dedup/minhash.ts';
import { Table } from '../src/engine/index.ts';
import { Timers } from '../src/engine/timers.ts';

const hourMs = 3_600_000;

console.log('timers      set us   take and set again us   take us');
for (const count of [10_000, 100_000, 1_000_000]) {
  const timers = new Timers(new Table<number>('timers'));
  const keys = Array.from({ length: count }, (_, i) => `sig-${i.toString(36)}-${i % 500}`);
  const set = measure(count, (i) => timers.set(keys[i]!, hourMs + (mix(i) % hourMs)));
  const again = measure(Math.min(count, 200_000), () => {
    const { key, dueMs } = takeNext(timers);
    timers.set(key, dueMs + hourMs);
  });
  const take = measure(count, () => takeNext(timers));
  console.log(`${count.toLocaleString('en-US').padStart(9)}${us(set, 8)}${us(again, 24)}${us(take, 10)}`);
}

function takeNext(timers: Timers): { readonly key: string; readonly dueMs: number } {
  const taken = timers.takeDue(timers.nextDueMs() ?? 0);
  if (!taken) throw new Error('nothing is due');
  return taken;
}

/** Microseconds each. */
function measure(count: number, act: (i: number) => void): number {
  const before = process.cpuUsage().user;
  for (let i = 0; i < count; i++) act(i);
  return (process.cpuUsage().user - before) / count;
}

function us(each: number, width: number): string {
  return each.toFixed(2).padStart(width);
}
