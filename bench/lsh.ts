/**
 * The LSH index from 10,000 to a million live signatures: an insert, a look-up (of what is in, nine of ten slots equal, and of what is not),
 * a removal, and memory. All signatures are different, in one scope: what crowds most. Means are of the fastest tenth of the turns, since other
 * work on the machine only ever slows one down; p99 is of all look-ups.
 */
import { dedupConfig } from '../src/dedup/index.ts';
import { LshIndex, lshShape } from '../src/dedup/lsh.ts';
import { mix, signatureLength } from '../src/dedup/minhash.ts';

interface Item {
  readonly order: number;
}

const sizes = [10_000, 100_000, 1_000_000];
const turn = 250;
const lookups = 50_000;

const shape = lshShape(signatureLength, dedupConfig.parse({}).similarity);
const index = new LshIndex<Item>(shape);
const handles: number[] = [];
const before = memory();
console.log(
  `${shape.bands} bands of ${shape.rows} slots, for a similarity of ${dedupConfig.parse({}).similarity}`,
);
console.log('signatures   insert us   found us   not found us   p99 us   removal us   bytes each');
for (const size of sizes) {
  const inserts: number[] = [];
  while (handles.length < size) {
    const first = handles.length;
    const signatures = Array.from({ length: turn }, (_, i) => signatureOf(first + i));
    const started = performance.now();
    for (const [i, signature] of signatures.entries())
      handles.push(index.add({ order: first + i }, 0, signature));
    inserts.push((performance.now() - started) / turn);
  }
  const found = look((i) => similarTo(mix(i) % size));
  const missed = look((i) => signatureOf(2 ** 31 + i));
  const bytes = (memory() - before) / size;
  const removals: number[] = [];
  for (let first = 0; first < 10_000; first += turn) {
    const started = performance.now();
    for (let i = first; i < first + turn; i++) index.remove(handles[i]!);
    removals.push((performance.now() - started) / turn);
    for (let i = first; i < first + turn; i++) handles[i] = index.add({ order: i }, 0, signatureOf(i));
  }
  const p99 = [...found.each, ...missed.each].toSorted((a, b) => a - b)[Math.floor(lookups * 2 * 0.99)]!;
  console.log(
    `${size.toLocaleString('en-US').padStart(10)}${us(fastest(inserts), 12)}${us(fastest(found.turns), 11)}${us(fastest(missed.turns), 15)}` +
      `${us(p99, 9)}${us(fastest(removals), 13)}${(globalThis.gc ? Math.round(bytes).toString() : 'no gc').padStart(13)}`,
  );
}

function look(signatureAt: (i: number) => Uint32Array): {
  readonly turns: number[];
  readonly each: number[];
} {
  const turns: number[] = [];
  const each: number[] = [];
  for (let first = 0; first < lookups; first += turn) {
    const signatures = Array.from({ length: turn }, (_, i) => signatureAt(first + i));
    const started = performance.now();
    let last = started;
    for (const signature of signatures) {
      index.candidates(0, signature);
      const now = performance.now();
      each.push(now - last);
      last = now;
    }
    turns.push((last - started) / turn);
  }
  return { turns, each };
}

function signatureOf(number: number): Uint32Array {
  return Uint32Array.from({ length: signatureLength }, (_, slot) => mix(number * 131 + slot));
}

/** Nine of ten slots are those of `number`. */
function similarTo(number: number): Uint32Array {
  return signatureOf(number).map((value, slot) => (mix(number ^ (slot << 20)) % 10 === 0 ? ~value : value));
}

/** The mean of the fastest tenth, in milliseconds. */
function fastest(turns: readonly number[]): number {
  const best = turns.toSorted((a, b) => a - b).slice(0, Math.max(1, Math.floor(turns.length / 10)));
  return best.reduce((sum, each) => sum + each, 0) / best.length;
}

function memory(): number {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function us(ms: number, width: number): string {
  return (ms * 1000).toFixed(2).padStart(width);
}
