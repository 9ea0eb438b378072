import type { Claim, Entry, Ownership, Stage, StageContext, StageFactory } from '../../src/engine/index.ts';

/** A small domain to try the engine on: entries carry numbers, stages sum, time out and emit. */
export type ToyEntry =
  | Entry<'alerts', readonly number[]>
  | Entry<'claim', Claim>
  | Entry<'tick', null>
  | Entry<'owner', Ownership>
  | Entry<'resume', { readonly atMs: number }>
  | Entry<'config', { readonly threshold: number }>
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
  alarms: readonly { readonly name: string; readonly dueMs: number }[];
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

/**
 * Raises an alarm 20 ms after a sum passed the threshold, as an effect, and again every 30 ms until it is answered, three times
 * at most; works asynchronously on whole batches.
 */
function createAlarms(context: StageContext): ToyStage {
  const alarms = context.table<{ count: number; dueMs: number; isAnswered: boolean }>('alarms');
  let threshold = 40;
  const setTimer = (key: string, dueMs: number): void => {
    const alarm = alarms.get(key);
    if (alarm) {
      alarm.dueMs = dueMs;
      alarms.touch(key);
    } else alarms.set(key, { count: 0, dueMs, isAnswered: false });
    context.timers.set(key, dueMs);
  };
  return {
    name: 'alarms',
    restore(config) {
      if (config?.kind === 'config') threshold = config.payload.threshold;
    },
    onFrame({ entry, flow, timeMs }) {
      if (entry?.kind === 'config') threshold = entry.payload.threshold;
      if (entry?.kind === 'fact') {
        const key = entry.payload.effectId.slice(0, entry.payload.effectId.lastIndexOf('/'));
        const alarm = alarms.get(key);
        if (alarm) {
          alarm.isAnswered = true;
          alarms.touch(key);
        }
      }
      for (const text of flow.sums) {
        const [key = '', total] = text.split('=');
        if (total !== undefined && Number(total) > threshold) setTimer(`alarm/${key}`, timeMs + 20);
        if (text.endsWith('forgotten')) {
          const name = `alarm/${text.split(' ')[0]}`;
          context.timers.cancel(name);
          alarms.delete(name);
        }
      }
    },
    onTimer(key, frame) {
      const alarm = alarms.get(key);
      if (!alarm || alarm.isAnswered) return;
      alarm.count++;
      alarms.touch(key);
      frame.flow.alarms = [{ name: `${key}#${alarm.count}`, dueMs: alarm.dueMs }];
      frame.effects.push({ id: `${key}/${alarm.count}`, kind: 'alarm', payload: { atMs: frame.timeMs } });
      frame.rows.push({ table: 'alarms', id: `${key}/${alarm.count}`, row: { atMs: frame.timeMs } });
      if (alarm.count < 3) setTimer(key, frame.timeMs + 30);
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
