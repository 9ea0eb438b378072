import { labelValue } from '../../alert/index.ts';
import type { Incident, TocsinFrame } from '../../incident/index.ts';
import type { Funnel } from '../funnel.ts';
import { IncidentOfSignals } from '../ledger.ts';
import { createPipeline } from '../pipeline.ts';
import type { Recording } from '../recording.ts';
import { Replay } from '../replay.ts';
import { createConfigPayload, startScorer } from '../scorer.ts';
import type { TocsinConfig } from '../config-schema.ts';

/** A page that said that something fires. */
export interface FiringPage {
  readonly id: string;
  readonly receiver: string;
  readonly atMs: number;
  /** Of the alerts that it told of: the fingerprint, and which time it was that it fired, such as `ac94eb72faa7fcc5#2`. */
  readonly episodes: readonly string[];
  /** What the alerts say in the label of the team; empty where they say nothing. */
  readonly teams: readonly string[];
  /** Incidents in which its signals were when it left, or what these were merged into. */
  readonly incidentIds: readonly string[];
}

/** An incident over its whole life. */
export interface IncidentSeen {
  readonly id: string;
  readonly title: string;
  /** The most urgent that it ever had, and since when. */
  readonly priority: Incident['priority'];
  readonly sinceMs: number;
  readonly alertCount: number;
}

/** What became of a recording under one configuration. */
export interface Outcome {
  readonly funnel: Funnel;
  /** Of each alert of the recording the incident that it was in when it came, or what that one was merged into; null for none. */
  readonly incidentOf: readonly (string | null)[];
  readonly pages: readonly FiringPage[];
  readonly incidents: ReadonlyMap<string, IncidentSeen>;
  readonly seconds: number;
}

export interface FoldUnderOptions {
  readonly config: TocsinConfig;
  /** Where relative paths of the configuration start from. */
  readonly configFile: string | undefined;
  readonly settleMs: number;
  /** The label that says whose an alert is. */
  readonly teamLabel: string;
  readonly onProgress: (alertCount: number) => void;
}

/** Folds the recording under a configuration, with the production fold. */
export async function foldUnder(
  recording: Recording,
  { config, configFile, settleMs, teamLabel, onProgress }: FoldUnderOptions,
): Promise<Outcome> {
  const startedMs = performance.now();
  const { scorer, stop } = startScorer(config);
  const pipeline = createPipeline({ scorer, withHistory: false });
  const watcher = new Watcher(teamLabel);
  const replay = new Replay(pipeline, {
    config: await createConfigPayload(config, configFile),
    wantsAssignments: true,
    settleMs,
    onFrames: (frames) => {
      for (const frame of frames) watcher.read(frame);
    },
  });
  try {
    await replay.foldAll(recording, onProgress);
  } finally {
    await stop();
  }
  const incidentOf: (string | null)[] = Array.from({ length: recording.alerts.length }, () => null);
  for (const { index, incidentId } of replay.assignments()) incidentOf[index] = incidentId;
  return {
    funnel: pipeline.stages.funnel.funnel(),
    incidentOf,
    pages: watcher.pages(),
    incidents: watcher.incidents(),
    seconds: (performance.now() - startedMs) / 1000,
  };
}

/** Notes pages and incidents while the frames pass. */
class Watcher {
  readonly #teamLabel: string;
  readonly #timesFired = new Map<string, number>();
  readonly #teams = new Map<string, string>();
  readonly #signalOf = new Map<string, string>();
  readonly #incidentOf = new IncidentOfSignals();
  readonly #incidents = new Map<string, IncidentSeen>();
  readonly #pages: FiringPage[] = [];

  constructor(teamLabel: string) {
    this.#teamLabel = teamLabel;
  }

  read({ flow, timeMs }: TocsinFrame): void {
    for (const [position, { change, alert }] of flow.alertChanges.entries()) {
      const { fingerprint } = alert;
      if (change === 'fired') {
        const count = this.#timesFired.get(fingerprint) ?? 0;
        if (count === 0) this.#teams.set(fingerprint, labelValue(alert.labels, this.#teamLabel));
        this.#timesFired.set(fingerprint, count + 1);
      }
      const signalId = flow.sightings[position]?.signalId;
      if (signalId) this.#signalOf.set(fingerprint, signalId);
    }
    for (const { candidate } of flow.candidateChanges) this.#incidentOf.note(candidate);
    for (const incident of flow.incidents) this.#note(incident, timeMs);
    for (const { id, receiver, status, atMs, fingerprints } of flow.pages) {
      if (status !== 'firing') continue;
      this.#pages.push({
        id,
        receiver,
        atMs,
        episodes: fingerprints.map((each) => `${each}#${this.#timesFired.get(each) ?? 0}`),
        teams: [...new Set(fingerprints.map((each) => this.#teams.get(each) ?? ''))],
        incidentIds: [...new Set(fingerprints.flatMap((each) => this.#incidentNow(each)))],
      });
    }
  }

  pages(): FiringPage[] {
    return this.#pages.map((page) => ({
      ...page,
      incidentIds: [...new Set(page.incidentIds.map((id) => this.#incidentOf.lastOf(id)))],
    }));
  }

  incidents(): ReadonlyMap<string, IncidentSeen> {
    return this.#incidents;
  }

  #incidentNow(fingerprint: string): string | [] {
    return this.#incidentOf.now(this.#signalOf.get(fingerprint) ?? '') ?? [];
  }

  #note({ id, title, priority, alertCount, state }: Incident, timeMs: number): void {
    if (state === 'merged') {
      this.#incidents.delete(id);
      return;
    }
    const before = this.#incidents.get(id);
    // P1 is before P2, as texts too.
    const isMoreUrgent = !before || priority < before.priority;
    const { priority: top, sinceMs } = isMoreUrgent ? { priority, sinceMs: timeMs } : before;
    this.#incidents.set(id, { id, title, priority: top, sinceMs, alertCount });
  }
}
