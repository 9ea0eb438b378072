import { Fold, type Frame, type StageFactory } from '../src/engine/index.ts';
import { createToyFlow, toyStages, type ToyEntry, type ToyFlow } from '../test/support/toy-stages.ts';
import type { Domain } from './domain.ts';

/** The toy stages count alarms anew when a sum was forgotten; here an effect's id must name its cause for ever. */
const stages = toyStages.map(([name, create]) => [name, withUniqueIds(create)] as const);

function withUniqueIds(create: StageFactory<ToyEntry, ToyFlow>): StageFactory<ToyEntry, ToyFlow> {
  return (context) => {
    const stage = create(context);
    if (!stage.onTimer) return stage;
    return {
      ...stage,
      onTimer(key, frame) {
        const effects: Frame<ToyEntry, ToyFlow>['effects'] = [];
        const rows: typeof frame.rows = [];
        stage.onTimer?.(key, { ...frame, flow: frame.flow, effects, rows });
        frame.effects.push(...effects.map((effect) => ({ ...effect, id: `${effect.id}@${frame.timeMs}` })));
        frame.rows.push(...rows.map((row) => ({ ...row, id: `${row.id}@${frame.timeMs}` })));
      },
    };
  };
}

/** Sums and alarms that fall due within milliseconds: much happens at once, and little is folded. */
export const toyDomain: Domain<ToyEntry, ToyFlow> = {
  name: 'toy',
  createFold: () => new Fold({ stages, createFlow: createToyFlow }),
  configure: (timeMs) => ({ kind: 'config', timeMs, payload: { threshold: 20 } }),
  report: (random, timeMs) => ({
    kind: 'alerts',
    timeMs,
    payload: Array.from({ length: random.integer(1, 4) }, () => random.integer(0, 30)),
  }),
  tick: (timeMs) => ({ kind: 'tick', timeMs, payload: null }),
  resume: (timeMs, atMs) => ({ kind: 'resume', timeMs, payload: { atMs } }),
  claim: (timeMs, payload) => ({ kind: 'claim', timeMs, payload }),
  fact: (timeMs, fact) => ({ kind: 'fact', timeMs, payload: fact as never }),
  laneOf: ({ id }) => id.slice(0, id.lastIndexOf('/')),
  subjectOf: () => null,
  questions: {},
  sentKinds: ['alarm'],
};
