import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Entry } from '../../src/engine/index.ts';
import type { PartitionLog } from '../../src/log/index.ts';

export interface LogUnderTest {
  open(): Promise<PartitionLog>;
  /** Frees what the tests left behind. */
  readonly clean: () => Promise<void>;
}

const entry = (timeMs: number, payload: unknown = null): Entry => ({ kind: 'alerts', timeMs, payload });

/** What every adapter of the log must do. */
export function logContract(name: string, create: () => Promise<LogUnderTest>): void {
  describe(`log: ${name}`, () => {
    let subject: LogUnderTest;
    let log: PartitionLog;

    beforeEach(async () => {
      subject = await create();
      log = await subject.open();
    });
    afterEach(async () => {
      await log.close();
      await subject.clean();
    });

    test('an empty log has no positions', async () => {
      expect([log.firstPosition, log.lastPosition]).toEqual([1, 0]);
      expect(await log.read(1, 10)).toEqual({ firstPosition: 1, entries: [] });
    });

    test('appends get positions from 1 on, in the order of the calls', async () => {
      const slices = await Promise.all([
        log.append([entry(1), entry(2)]),
        log.append([entry(3)]),
        log.append([entry(4)]),
      ]);
      expect(slices.map(({ firstPosition }) => firstPosition)).toEqual([1, 3, 4]);
      expect((await log.read(1, 10)).entries.map(({ timeMs }) => timeMs)).toEqual([1, 2, 3, 4]);
      expect(log.lastPosition).toBe(4);
    });

    test('time never goes back', async () => {
      await log.append([entry(100)]);
      const slice = await log.append([entry(50), entry(200)]);
      expect(slice.entries.map(({ timeMs }) => timeMs)).toEqual([100, 200]);
      expect((await log.read(1, 10)).entries.map(({ timeMs }) => timeMs)).toEqual([100, 100, 200]);
    });

    test('what is handed over live is what is read back', async () => {
      const seen: Entry[] = [];
      log.subscribe(({ entries }) => seen.push(...entries));
      const payload = {
        text: 'å\u0000😀',
        list: ['a', '', 'b'],
        number: -1.5,
        nothing: null,
        yes: true,
        deep: { __proto__x: [[]] },
      };
      await log.append([entry(1, payload)]);
      await log.append([entry(2, 'x'.repeat(100_000)), entry(3, [])]);
      expect(seen).toEqual((await log.read(1, 10)).entries);
    });

    test('subscribers get every slice once, in order, until they leave', async () => {
      const positions: number[] = [];
      const leave = log.subscribe(({ firstPosition }) => positions.push(firstPosition));
      await Promise.all(Array.from({ length: 50 }, (_, index) => log.append([entry(index)])));
      leave();
      await log.append([entry(100)]);
      expect(positions).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
    });

    test('reading takes part of the log', async () => {
      await log.append(Array.from({ length: 10 }, (_, index) => entry(index)));
      expect((await log.read(4, 3)).entries.map(({ timeMs }) => timeMs)).toEqual([3, 4, 5]);
      expect((await log.read(9, 5)).entries).toHaveLength(2);
      expect((await log.read(11, 5)).entries).toEqual([]);
    });

    test('everything is there when the log is opened again', async () => {
      await log.append([entry(7, 'before')]);
      await log.close();
      log = await subject.open();
      const slice = await log.append([entry(1, 'after')]);
      expect(slice).toMatchObject({ firstPosition: 2, entries: [{ timeMs: 7 }] });
      expect((await log.read(1, 10)).entries.map(({ payload }) => payload)).toEqual(['before', 'after']);
    });

    test('trimming forgets what lies before a position', async () => {
      await log.append(Array.from({ length: 5 }, (_, index) => entry(index)));
      await log.trim(4);
      expect([log.firstPosition, log.lastPosition]).toEqual([4, 5]);
      await expect(log.read(3, 1)).rejects.toMatchObject({ code: 'TOC_LOG_CORRUPT' });
      expect((await log.read(4, 2)).entries).toHaveLength(2);
    });

    test('a closed log refuses with its code', async () => {
      await log.close();
      await expect(log.append([entry(1)])).rejects.toMatchObject({
        code: 'TOC_LOG_CLOSED',
        retryable: false,
      });
    });
  });
}
