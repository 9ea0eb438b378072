import { deepStrictEqual } from 'node:assert';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Entry } from '../../src/engine/index.ts';
import type { PartitionLog } from '../../src/log/index.ts';
import { appendAll } from '../support/log.ts';

/** Plain data as it may come from outside or from a stage: any text, any finite number, fields that are not set. */
const { plain } = fc.letrec((tie) => ({
  plain: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(
      null,
      undefined,
      true,
      false,
      '',
      '\ud800',
      'a\udfff\ud800',
      '\\ud800',
      '__proto__',
      '\u0000',
    ),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.maxSafeInteger(),
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.array(tie('plain'), { maxLength: 6 }),
    fc.dictionary(fc.string({ unit: 'binary' }), tie('plain'), { maxKeys: 6, noNullPrototype: true }),
    tie('plain').map((value) => Object.fromEntries([['__proto__', value]])),
  ),
}));

export interface LogUnderTest {
  open(): Promise<PartitionLog>;
  /** The size of an entry that the log must take; 10 MB unless said otherwise. */
  readonly largeBytes?: number;
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
      expect([log.firstPosition, log.lastPosition, log.lastTimeMs]).toEqual([1, 0, -Infinity]);
      expect(await log.read(1, 10)).toEqual({ firstPosition: 1, entries: [] });
    });

    test('appends get positions from 1 on, in the order of the calls', async () => {
      const appended = await Promise.all([
        log.append(entry(1)),
        log.append(entry(2)),
        log.append(entry(3)),
        log.append(entry(4)),
      ]);
      expect(appended.map(({ position }) => position)).toEqual([1, 2, 3, 4]);
      expect((await log.read(1, 10)).entries.map(({ timeMs }) => timeMs)).toEqual([1, 2, 3, 4]);
      expect(log.lastPosition).toBe(4);
      expect(log.lastTimeMs).toBe((await log.read(4, 1)).entries[0]?.timeMs);
    });

    test('an entry keeps the time that it was written with', async () => {
      await appendAll(log, [entry(100), entry(50), entry(200)]);
      expect((await log.read(1, 10)).entries.map(({ timeMs }) => timeMs)).toEqual([100, 50, 200]);
      expect(log.lastTimeMs).toBe(200);
    });

    test('what is handed over live is what is read back', async () => {
      const seen: Entry[] = [];
      log.subscribe(({ entries }) => seen.push(...entries));
      await fc.assert(
        fc.asyncProperty(plain, async (payload) => {
          const appended = await log.append({ kind: 'command', timeMs: 1, payload });
          const read = await log.read(appended.position, 1);
          deepStrictEqual(read.entries, [appended.entry]);
          deepStrictEqual(read.entries, seen.splice(0));
        }),
      );
    });

    test('reports are handed over live as they are read back, lone surrogates replaced', async () => {
      const seen: Entry[] = [];
      log.subscribe(({ entries }) => seen.push(...entries));
      const text = fc.string({ unit: 'binary', maxLength: 40 });
      const alert = fc.record(
        {
          labels: fc.array(fc.oneof(text, fc.constant('\ud800'))),
          atMs: fc.maxSafeInteger(),
          ok: fc.boolean(),
        },
        { noNullPrototype: true },
      );
      await fc.assert(
        fc.asyncProperty(fc.array(alert, { maxLength: 5 }), async (payload) => {
          const appended = await log.append(entry(1, payload));
          const read = await log.read(appended.position, 1);
          deepStrictEqual(read.entries, [appended.entry]);
          deepStrictEqual(read.entries, seen.splice(0));
          const given = payload.flatMap(({ labels }) => labels.map((label) => label.toWellFormed()));
          const kept = (appended.entry.payload as typeof payload).flatMap(({ labels }) => labels);
          expect(kept).toEqual(given);
        }),
      );
    });

    test('a large entry is kept', async () => {
      const large = 'x'.repeat(subject.largeBytes ?? 10_000_000);
      await appendAll(log, [entry(1, large), entry(3, [])]);
      expect((await log.read(1, 2)).entries).toEqual([entry(1, large), entry(3, [])]);
    });

    test('a draft that is changed after its append is kept as it was', async () => {
      const payload = { note: 'before' };
      const appending = log.append({ kind: 'command', timeMs: 1, payload });
      payload.note = 'after';
      expect((await appending).entry.payload).toEqual({ note: 'before' });
      expect((await log.read(1, 1)).entries[0]?.payload).toEqual({ note: 'before' });
    });

    test('an entry without a time or with a payload that is no plain data is refused, and the log goes on', async () => {
      const cycle: { self?: unknown } = {};
      cycle.self = cycle;
      await expect(log.append(entry(NaN))).rejects.toThrow(RangeError);
      await expect(log.append(entry(6, cycle))).rejects.toThrow(TypeError);
      expect(await log.append(entry(2, 'kept'))).toEqual({ position: 1, entry: entry(2, 'kept') });
    });

    test('subscribers get every slice once, in order, until they leave', async () => {
      const positions: number[] = [];
      const leave = log.subscribe(({ firstPosition }) => positions.push(firstPosition));
      await Promise.all(Array.from({ length: 50 }, (_, index) => log.append(entry(index))));
      leave();
      await log.append(entry(100));
      expect(positions).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
    });

    test('reading takes part of the log', async () => {
      await appendAll(
        log,
        Array.from({ length: 10 }, (_, index) => entry(index)),
      );
      expect((await log.read(4, 3)).entries.map(({ timeMs }) => timeMs)).toEqual([3, 4, 5]);
      expect((await log.read(9, 5)).entries).toHaveLength(2);
      expect((await log.read(11, 5)).entries).toEqual([]);
    });

    test('everything is there when the log is opened again', async () => {
      await log.append(entry(7, 'before'));
      await log.close();
      log = await subject.open();
      expect(log.lastTimeMs).toBe(7);
      expect(await log.append(entry(8, 'after'))).toMatchObject({ position: 2 });
      expect((await log.read(1, 10)).entries.map(({ payload }) => payload)).toEqual(['before', 'after']);
    });

    test('trimming forgets what lies before a position', async () => {
      await appendAll(
        log,
        Array.from({ length: 5 }, (_, index) => entry(index)),
      );
      await log.trim(4);
      expect([log.firstPosition, log.lastPosition]).toEqual([4, 5]);
      await expect(log.read(3, 1)).rejects.toMatchObject({ code: 'TOC_LOG_GAP' });
      expect((await log.read(4, 2)).entries).toHaveLength(2);
    });

    test('positions and time go on after everything was trimmed and the log opened again', async () => {
      await appendAll(
        log,
        Array.from({ length: 3000 }, (_, index) => entry(index)),
      );
      await log.trim(10_000);
      expect([log.firstPosition, log.lastPosition]).toEqual([3000, 3000]);
      await log.close();
      log = await subject.open();
      expect(log.lastTimeMs).toBe(2999);
      expect(await log.append(entry(3000))).toMatchObject({ position: 3001 });
      expect([log.firstPosition, log.lastPosition]).toEqual([3000, 3001]);
    });

    test('appends go on while the log is trimmed', async () => {
      await appendAll(
        log,
        Array.from({ length: 3000 }, (_, index) => entry(index)),
      );
      const trimming = log.trim(2500);
      const appended = await Promise.all(Array.from({ length: 20 }, () => log.append(entry(1))));
      await trimming;
      expect(appended.map(({ position }) => position)).toEqual(
        Array.from({ length: 20 }, (_, index) => 3001 + index),
      );
      expect((await log.read(2500, 1000)).entries).toHaveLength(521);
    });

    test('a closed log refuses with its code', async () => {
      const late = log.append(entry(1));
      await log.close();
      await expect(late).resolves.toMatchObject({ position: 1 });
      const refusal = { code: 'TOC_LOG_CLOSED', retryable: false };
      await expect(log.append(entry(1))).rejects.toMatchObject(refusal);
      await expect(log.read(1, 1)).rejects.toMatchObject(refusal);
    });
  });
}
