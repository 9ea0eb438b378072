import { selectIncidents, type Funnel, type ReadModel, type SilenceView } from '../../api/index.ts';
import { mergeIntegrations } from './merge-integrations.ts';
import { partitionOfId } from './scope.ts';
import type { PartitionVoice } from './voice.ts';

/** What the partitions say together. It answers when all of them have. */
export function createFleetRead(voices: readonly PartitionVoice[]): ReadModel {
  const all = <Answer>(ask: (voice: PartitionVoice) => Promise<Answer>): Promise<Answer[]> =>
    Promise.all(voices.map(ask));
  /** What is known under an id, of whichever partition it is. */
  const find = async <Found>(
    id: string,
    ask: (voice: PartitionVoice) => Promise<Found | undefined>,
  ): Promise<Found | undefined> => {
    const partition = partitionOfId(id);
    if (partition !== null) return voices[partition] && ask(voices[partition]);
    return (await all(ask)).find((found) => found !== undefined);
  };
  return {
    alerts: async (query) => (await all((voice) => voice.alerts(query))).flat(),
    groups: async (query) => (await all((voice) => voice.groups(query))).flat(),
    receivers: async () => [...new Set((await all((voice) => voice.receivers())).flat())],
    async silences(matchers) {
      const copies = (await all((voice) => voice.silences(matchers))).flat();
      return [...Map.groupBy(copies, ({ silence }) => silence.id).values()].map(mostInForce);
    },
    async silence(id) {
      const copies = (await all((voice) => voice.silence(id))).filter((copy) => copy !== undefined);
      return copies.length === 0 ? undefined : mostInForce(copies);
    },
    incidents: async (query) => selectIncidents((await all((voice) => voice.incidents(query))).flat(), query),
    incident: (id) => find(id, (voice) => voice.incident(id)),
    run: (id) => find(id, (voice) => voice.run(id)),
    storms: async () =>
      (await all((voice) => voice.storms())).flat().sort((a, b) => b.startedAtMs - a.startedAtMs),
    explain: (id) => find(id, (voice) => voice.explain(id)),
    funnel: async () => (await all((voice) => voice.funnel())).reduce(sum),
    models: async () =>
      (await all((voice) => voice.models())).flatMap((models, partition) =>
        models.map((model) => ({ partition, ...model })),
      ),
    integrations: async () => mergeIntegrations(await all((voice) => voice.integrations())),
  };
}

const stateOrder = { active: 0, pending: 1, expired: 2 } as const;

/** Each partition has its copy of a silence. Where they differ, as after a command that reached only some, what still mutes is shown. */
function mostInForce(copies: readonly SilenceView[]): SilenceView {
  return copies.reduce((a, b) => {
    const difference = stateOrder[a.state] - stateOrder[b.state] || b.updatedAtMs - a.updatedAtMs;
    return difference <= 0 ? a : b;
  });
}

function sum(a: Funnel, b: Funnel): Funnel {
  return {
    alerts: a.alerts + b.alerts,
    signals: a.signals + b.signals,
    incidents: a.incidents + b.incidents,
    pages: a.pages + b.pages,
  };
}
