import type { StageContext } from '../engine/index.ts';
import {
  readServiceGraph,
  type Candidate,
  type ConfigEntry,
  type Hold,
  type Reason,
  type ServiceGraph,
  type SignalChange,
  type Storm,
  type TocsinFrame,
  type TocsinStage,
} from '../incident/index.ts';
import { stormsConfig, transientsConfig, type StormsConfig, type TransientsConfig } from './config.ts';
import { Members, type MemberIncident, type MemberSignal } from './members.ts';
import { Storms, type StormNews } from './storms.ts';
import { Transients } from './transients.ts';

/** The stage `calm`, and what it knows of storms. */
export interface CalmStage extends TocsinStage {
  /** Storms that go on, and those that ended within the last day, the oldest first. */
  storms(): IterableIterator<Storm>;
  storm(id: string): Storm | undefined;
  /** Storms that go on. */
  readonly activeCount: number;
}

/**
 * Says what may keep pages of incidents calm, and leaves it to dispatch to heed that: that a storm goes on and one incident stands for
 * others, and that a signal is usually over so soon that its first page may wait.
 */
export function createCalmStage(context: StageContext): CalmStage {
  return new Calm(context);
}

/** More signals than this are no transient. */
const maxHeldSignals = 16;

class Calm implements CalmStage {
  readonly name = 'calm';
  readonly #members: Members;
  readonly #storms: Storms;
  readonly #transients: Transients;
  #stormsConfig: StormsConfig = stormsConfig.parse({});
  #transientsConfig: TransientsConfig = transientsConfig.parse({});
  #graph: ServiceGraph = readServiceGraph(null);

  constructor(context: StageContext) {
    this.#members = new Members(context);
    this.#storms = new Storms(context, this.#members, this.#stormsConfig);
    this.#transients = new Transients(context);
  }

  storms(): IterableIterator<Storm> {
    return this.#storms.all();
  }

  storm(id: string): Storm | undefined {
    return this.#storms.get(id);
  }

  get activeCount(): number {
    return this.#storms.activeCount;
  }

  restore(config: TocsinFrame['entry']): void {
    this.#readConfig(config?.kind === 'config' ? config : null);
    this.#storms.restore(this.#stormsConfig);
  }

  onFrame(frame: TocsinFrame): void {
    const { entry, flow, timeMs } = frame;
    if (entry?.kind === 'config') {
      this.#readConfig(entry);
      this.#storms.configure(this.#stormsConfig);
    }
    for (const { id, acknowledgedBy } of flow.incidents)
      if (acknowledgedBy !== null) this.#members.markTouched(id);
    for (const { incidentId } of flow.runs) this.#members.markTouched(incidentId);
    if (flow.signalChanges.length === 0 && flow.candidateChanges.length === 0) return;
    const news: StormNews = { changes: [], covers: [] };
    const holds: Hold[] = [];
    for (const change of flow.signalChanges) this.#onSignal(change, timeMs);
    for (const change of flow.candidateChanges) {
      const incident = this.#members.follow(change, timeMs);
      if (!incident) continue;
      this.#storms.follow(incident, this.#graph, news);
      const hold = this.#hold(incident, change.candidate, timeMs);
      if (hold) holds.push(hold);
    }
    // Only now it is known which incidents the signals of this moment belong to.
    for (const { change, signal } of flow.signalChanges) {
      const member = this.#members.signals.get(signal.id);
      if (member && isArrival(change)) this.#storms.arrive(member, this.#graph, timeMs, news);
    }
    tell(frame, news);
    if (holds.length > 0) flow.holds = holds;
  }

  onTimer(key: string, frame: TocsinFrame): void {
    const news: StormNews = { changes: [], covers: [] };
    this.#storms.onTimer(key, frame.timeMs, news);
    tell(frame, news);
  }

  #readConfig(entry: ConfigEntry | null): void {
    this.#stormsConfig = (entry?.payload['storms'] as StormsConfig | undefined) ?? stormsConfig.parse({});
    this.#transientsConfig =
      (entry?.payload['transients'] as TransientsConfig | undefined) ?? transientsConfig.parse({});
    this.#graph = readServiceGraph(entry?.payload ?? null);
  }

  #onSignal({ change, signal }: SignalChange, nowMs: number): void {
    if (isArrival(change)) {
      this.#members.begin(signal, this.#graph, nowMs);
      return;
    }
    const member = this.#members.signals.get(signal.id);
    if (!member) return;
    member.severity = signal.severity;
    if (signal.state === 'flapping') member.isDisturbed = true;
    this.#members.signals.touch(signal.id);
    if (change !== 'resolved') return;
    if (this.#transientsConfig.enabled) this.#learn(member, nowMs);
    this.#members.end(member);
  }

  #learn(member: MemberSignal, nowMs: number): void {
    const isTouched = this.#members.incidents.get(member.incidentId ?? '')?.isTouched ?? false;
    const lastedMs = member.isDisturbed || isTouched ? null : nowMs - member.sinceMs;
    this.#transients.learn(member.pastKey, lastedMs, nowMs, this.#transientsConfig);
  }

  /** How long the first page of an incident has time now; null where that has not changed. */
  #hold(incident: MemberIncident, candidate: Candidate, nowMs: number): Hold | null {
    if (incident.isDue) return null;
    const found = this.#findHold(incident, candidate, nowMs);
    incident.isDue = found === null;
    if (incident.holdUntilMs === (found?.untilMs ?? null)) return null;
    incident.holdUntilMs = found?.untilMs ?? null;
    return found ?? { incidentId: incident.id, untilMs: null, reason: notTransient };
  }

  /** Each of its signals must be known to be over soon: one that is not makes the page due. */
  #findHold(
    { id: incidentId, sinceMs }: MemberIncident,
    { signalIds }: Candidate,
    nowMs: number,
  ): (Hold & { readonly untilMs: number }) | null {
    if (!this.#transientsConfig.enabled || signalIds.length > maxHeldSignals) return null;
    let untilMs = -Infinity;
    let text = '';
    for (const id of signalIds) {
      const signal = this.#members.signals.get(id);
      if (!signal?.isFiring) continue;
      const patience = this.#transients.patienceFor(signal.pastKey, this.#transientsConfig);
      if (!patience || signal.isDisturbed) return null;
      if (signal.sinceMs + patience.holdMs <= untilMs) continue;
      untilMs = signal.sinceMs + patience.holdMs;
      text = patience.text;
    }
    untilMs = Math.min(untilMs, sinceMs + this.#transientsConfig.max_hold);
    if (untilMs <= nowMs) return null;
    return { incidentId, untilMs, reason: { stage: 'calm', code: 'transient', text } };
  }
}

const notTransient: Reason = {
  stage: 'calm',
  code: 'not_transient',
  text: 'not all of its signals are known to be over soon',
};

function isArrival(change: SignalChange['change']): boolean {
  return change === 'opened' || change === 'reopened';
}

function tell({ flow }: TocsinFrame, { changes, covers }: StormNews): void {
  if (changes.length > 0) flow.stormChanges = changes;
  if (covers.length > 0) flow.covers = covers;
}
