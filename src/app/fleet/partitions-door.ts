import type { CommandGate, ReadModel } from '../../api/index.ts';
import type { Partition } from '../partition.ts';
import { createReadModel } from '../read-model.ts';

/** Reads and commands of the partitions that this process leads. */
export function createPartitionsDoor({ led }: { readonly led: () => ReadonlyMap<number, Partition> }): {
  read: ReadModel;
  commands: CommandGate;
} {
  const models = (): ReadModel[] => [...led().values()].map(({ stages }) => createReadModel(stages));
  const first = <Found>(ask: (model: ReadModel) => Found | undefined): Found | undefined => {
    for (const model of models()) {
      const found = ask(model);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return {
    read: {
      alerts: () => models().flatMap((model) => [...model.alerts()]),
      groups: () => models().flatMap((model) => [...model.groups()]),
      receivers: () => models()[0]?.receivers() ?? [],
      silences: () => models().flatMap((model) => [...model.silences()]),
      silence: (id) => first((model) => model.silence(id)),
      incidents: () => models().flatMap((model) => [...model.incidents()]),
      incident: (id) => first((model) => model.incident(id)),
      run: (id) => first((model) => model.run(id)),
      explain: (id) => first((model) => model.explain(id)),
      funnel: () => ({ alerts: 0, signals: 0, incidents: 0, pages: 0 }),
    },
    commands: { submit: (command) => [...led().values()][0]!.commands.submit(command) },
  };
}
