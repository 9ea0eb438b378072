import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isBeginningOf, Lineage } from '../../src/cluster/lineage.ts';
import type { Epoch } from '../../src/cluster/standing.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tocsin-lineage-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

interface Copy {
  entries: string[];
  epochs: Epoch[];
}

/** What may happen to the copies of a log: one begins to lead, the leader appends, one copies a part from another. */
const act = fc.oneof(
  fc.record({ kind: fc.constant('lead' as const), who: fc.nat(2) }),
  fc.record({ kind: fc.constant('append' as const), who: fc.nat(2), count: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ kind: fc.constant('copy' as const), who: fc.nat(2), from: fc.nat(2), count: fc.nat(4) }),
);

test('one log is taken for the beginning of another exactly where it is, whatever happened to both', () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 40 }), (acts) => {
      const copies: Copy[] = [0, 1, 2].map(() => ({ entries: [], epochs: [] }));
      const ownEpochs = copies.map(() => '');
      let count = 0;
      const isBeginning = (a: Copy, b: Copy): boolean =>
        isBeginningOf(
          { epochs: a.epochs, lastPosition: a.entries.length },
          { epochs: b.epochs, lastPosition: b.entries.length },
        );
      for (const next of acts) {
        const self = copies[next.who]!;
        if (next.kind === 'lead') {
          const id = `epoch ${++count}`;
          ownEpochs[next.who] = id;
          const firstPosition = self.entries.length + 1;
          self.epochs = [
            ...self.epochs.filter((epoch) => epoch.firstPosition < firstPosition),
            { id, generation: count, firstPosition },
          ];
        } else if (next.kind === 'append') {
          // Only who leads the last epoch of its log may write into it.
          if (self.epochs.at(-1)?.id !== ownEpochs[next.who]) continue;
          for (let n = 0; n < next.count; n++) self.entries.push(`entry ${++count}`);
        } else if (next.from !== next.who) {
          const other = copies[next.from]!;
          if (other.epochs.length === 0) continue;
          if (!isBeginning(self, other)) self.entries = [];
          self.epochs = other.epochs;
          self.entries.push(...other.entries.slice(self.entries.length, self.entries.length + next.count));
        }
        for (const a of copies)
          for (const b of copies) {
            const isReally =
              a.entries.length <= b.entries.length &&
              a.entries.every((entry, index) => entry === b.entries[index]);
            expect(isBeginning(a, b)).toBe(isReally);
          }
      }
    }),
    { numRuns: 500 },
  );
});

test('the epochs of a log are there again after a restart', async () => {
  const file = join(folder, 'cluster.json');
  const lineage = await Lineage.open(file, { firstPosition: 1, lastPosition: 0 });
  expect(lineage.epochs).toEqual([]);
  const first = await lineage.begin(1, 1);
  const second = await lineage.begin(2, 10);
  expect((await Lineage.open(file, { firstPosition: 1, lastPosition: 12 })).epochs).toEqual([first, second]);
});

test('an epoch in which nothing was written is forgotten with the next', async () => {
  const lineage = await Lineage.open(join(folder, 'cluster.json'), { firstPosition: 1, lastPosition: 0 });
  await lineage.begin(1, 1);
  const epoch = await lineage.begin(2, 1);
  expect(lineage.epochs).toEqual([epoch]);
});

test('a log of a time before there were clusters has an epoch of its own', async () => {
  const log = { firstPosition: 5, lastPosition: 9 };
  const lineage = await Lineage.open(join(folder, 'cluster.json'), log);
  expect(lineage.epochs).toMatchObject([{ generation: 0, firstPosition: 5 }]);
});

test('a file that was overwritten is an error that names it', async () => {
  const file = join(folder, 'cluster.json');
  await writeFile(file, '{"epochs": 3}');
  await expect(Lineage.open(file, { firstPosition: 1, lastPosition: 0 })).rejects.toMatchObject({
    code: 'TOC_STORE_CORRUPT',
    message: expect.stringContaining(file) as string,
  });
  expect(await readFile(file, 'utf8')).toBe('{"epochs": 3}');
});
