import type { Entry, Stage, StageContext, StageFactory } from '../../src/engine/index.ts';

/** A small domain to try the engine on: entries carry numbers, stages sum, time out and emit. */
export type ToyEntry =
  | Entry<'alerts', readonly number[]>
  | Entry<'tick', null>
  | Entry<
      'fact',
      {
        readonly effectId: string;
        readonly kind: string;
        readonly outcome: { readonly status: 'done'; readonly result: null };
      }
    >;

export interface ToyFlow {
  sums: readonly string[];
  alarms: readonly string[];
  settled: readonly number[];
}

export const createToyFlow = (): ToyFlow => ({ sums: [], alarms: [], settled: [] });

type ToyStage = Stage<ToyEntry, ToyFlow>;

/** Keeps a sum by remainder, and forgets it when it was not touched for 50 ms. */
function createSums(context: StageContext): ToyStage {
  const sums = context.table<{ total: number; lastMs: number }>('sums');
  return {
    name: 'sums',
    onFrame({ entry, timeMs, flow }) {
      if (entry?.kind !== 'alerts') return;
      const seen: string[] = [];
      for (const value of entry.payload) {
        const key = `k${value % 5}`;
        const row = sums.get(key) ?? { total: 0, lastMs: 0 };
        row.total += value;
        row.lastMs = timeMs;
        sums.set(key, row);
        seen.push(`${key}=${row.total}`);
        if (context.timers.dueMs(key) === undefined) context.timers.set(key, timeMs + 50);
      }
      flow.sums = seen;
    },
    onTimer(key, { timeMs, flow }) {
      const row = sums.get(key);
      if (!row) return;
      if (row.lastMs + 50 > timeMs) context.timers.set(key, row.lastMs + 50);
      else {
        sums.delete(key);
        flow.sums = [`${key} forgotten`];
      }
    },
  };
}

/** Raises an alarm 20 ms after a sum passed 40, as an effect; works asynchronously on whole batches. */
function createAlarms(context: StageContext): ToyStage {
  const counts = context.table<number>('counts');
  return {
    name: 'alarms',
    onFrame({ flow, timeMs }) {
      for (const text of flow.sums) {
        const [key = '', total] = text.split('=');
        if (total !== undefined && Number(total) > 40) context.timers.set(`alarm/${key}`, timeMs + 20);
        if (text.endsWith('forgotten')) context.timers.cancel(`alarm/${text.split(' ')[0]}`);
      }
    },
    onTimer(key, frame) {
      const count = (counts.get(key) ?? 0) + 1;
      counts.set(key, count);
      frame.flow.alarms = [`${key}#${count}@${frame.timeMs}`];
      frame.effects.push({ id: `${key}/${count}`, kind: 'alarm', payload: { atMs: frame.timeMs } });
      frame.rows.push({ table: 'alarms', id: `${key}/${count}`, row: { atMs: frame.timeMs } });
    },
    async settle(frames) {
      await Promise.resolve();
      for (const { flow } of frames) flow.settled = flow.sums.map((text) => text.length);
    },
  };
}

export const toyStages: readonly (readonly [string, StageFactory<ToyEntry, ToyFlow>])[] = [
  ['sums', createSums],
  ['alarms', createAlarms],
];
