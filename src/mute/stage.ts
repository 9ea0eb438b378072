import type { Alert } from '../alert/index.ts';
import type { StageContext, Table } from '../engine/index.ts';
import {
  commandOf,
  type Command,
  type CommandAnswer,
  type LogEntry,
  type TocsinFrame,
  type TocsinStage,
  type Verdict,
  type VerdictChange,
} from '../incident/index.ts';
import { inhibitRulesConfig, muteConfig, type InhibitRulesConfig, type MuteConfig } from './config.ts';
import { Inhibition, type InhibitableAlert } from './inhibition.ts';
import { Silences, type SilenceChange, type StoredSilence } from './silences.ts';

/** The mute stage, and what it says of each alert. */
export interface MuteStage extends TocsinStage {
  /** All silences remembered, the oldest first. */
  silences(): IterableIterator<StoredSilence>;
  silence(id: string): StoredSilence | undefined;
  /** The verdict on an alert that fires. Others are not muted, but for those that have ended muted a short while ago. */
  verdict(fingerprint: string): Verdict;
}

/**
 * Marks alerts that nobody is to be notified of, by silences and by inhibition; it never drops one. A silenced or inhibited alert
 * still inhibits others. Verdicts travel as changes: one for each alert that fires, and one whenever a silence or another
 * alert changes it.
 *
 * An alert that ends unmuted stays so, so that its end is told. One that ends muted is watched for an hour: when a
 * database and the services that it inhibits recover in one moment, in any order, the recovery of each is told.
 */
export function createMuteStage(context: StageContext): MuteStage {
  return new Mute(context);
}

const notMuted: Verdict = { muted: false };
const endedRetentionMs = 3_600_000;
const untouched = (): void => undefined;

class Mute implements MuteStage {
  readonly name = 'mute';
  readonly #context: StageContext;
  readonly #silences: Silences;
  readonly #firing: Table<InhibitableAlert>;
  /** Alerts that have ended muted. */
  readonly #ended: Table<InhibitableAlert>;
  readonly #muted: Table<Verdict>;
  #inhibition = new Inhibition([]);
  #retentionMs = muteConfig.parse({}).silence_retention;

  constructor(context: StageContext) {
    this.#context = context;
    this.#silences = new Silences(context.table<StoredSilence>('silences'));
    this.#firing = context.table<InhibitableAlert>('firing');
    this.#ended = context.table<InhibitableAlert>('ended');
    this.#muted = context.table<Verdict>('muted');
  }

  silences(): IterableIterator<StoredSilence> {
    return this.#silences.all();
  }

  silence(id: string): StoredSilence | undefined {
    return this.#silences.get(id);
  }

  verdict(fingerprint: string): Verdict {
    return this.#muted.get(fingerprint) ?? notMuted;
  }

  restore(config: LogEntry | null): void {
    this.#silences.restore();
    this.#configure(config?.kind === 'config' ? config.payload : {});
  }

  onFrame(frame: TocsinFrame): void {
    const { entry, flow, timeMs } = frame;
    const command = commandOf(frame);
    let changes: VerdictChange[] | null = null;
    if (entry?.kind === 'config') {
      this.#configure(entry.payload);
      changes = [];
      this.#judge([...this.#firing.keys(), ...this.#ended.keys()], changes);
    } else if (command) changes = this.#obey(command, frame);
    for (let i = 0; i < flow.alertChanges.length; i++) {
      const { change, alert } = flow.alertChanges[i]!;
      if (change === 'repeated' || change === 'updated' || change === 'ignored') continue;
      changes ??= [];
      if (change === 'fired') this.#begin(alert, changes);
      else this.#end(alert, timeMs, changes);
    }
    if (changes && changes.length > 0) flow.verdictChanges = changes;
  }

  /** `silence/<id>`: it begins, ends or is forgotten. `ended/<fingerprint>`: the alert is watched no longer. */
  onTimer(key: string, { timeMs, flow }: TocsinFrame): void {
    const id = key.slice(key.indexOf('/') + 1);
    if (key.startsWith('ended/')) {
      this.#unwatch(id);
      return;
    }
    const before = this.#silences.get(id);
    if (!before) return;
    if (before.state === 'expired') this.#silences.forget(id);
    else {
      const changes: VerdictChange[] = [];
      this.#follow(this.#silences.advance(before, timeMs), before.state === 'active', changes);
      flow.verdictChanges = changes;
    }
  }

  #configure(config: Readonly<Record<string, unknown>>): void {
    this.#retentionMs = ((config['mute'] ?? muteConfig.parse({})) as MuteConfig).silence_retention;
    const rules = (config['inhibit_rules'] ?? inhibitRulesConfig.parse([])) as InhibitRulesConfig;
    this.#inhibition = new Inhibition(rules);
    for (const alert of this.#firing.values()) this.#inhibition.add(alert, untouched);
    for (const alert of this.#ended.values()) this.#inhibition.addTarget(alert);
  }

  #begin({ fingerprint, domain, labels }: Alert, changes: VerdictChange[]): void {
    if (this.#ended.has(fingerprint)) this.#unwatch(fingerprint);
    const firing: InhibitableAlert = { fingerprint, domain, labels };
    this.#firing.set(fingerprint, firing);
    const touched: string[] = [];
    this.#inhibition.add(firing, (other) => touched.push(other));
    const verdict = this.#verdictOn(firing);
    this.#store(fingerprint, verdict);
    changes.push({ fingerprint, verdict });
    this.#judge(touched.sort(), changes);
  }

  #end({ fingerprint }: Alert, nowMs: number, changes: VerdictChange[]): void {
    const alert = this.#firing.get(fingerprint);
    if (!alert) return;
    this.#firing.delete(fingerprint);
    const touched: string[] = [];
    this.#inhibition.remove(alert, (other) => touched.push(other));
    if (this.#muted.has(fingerprint)) {
      this.#ended.set(fingerprint, alert);
      this.#inhibition.addTarget(alert);
      this.#context.timers.set(`ended/${fingerprint}`, nowMs + endedRetentionMs);
    }
    this.#judge(touched.sort(), changes);
  }

  /** Forgets an alert that ended muted. */
  #unwatch(fingerprint: string): void {
    const alert = this.#ended.get(fingerprint);
    if (!alert) return;
    this.#ended.delete(fingerprint);
    this.#muted.delete(fingerprint);
    this.#inhibition.remove(alert, untouched);
    this.#context.timers.cancel(`ended/${fingerprint}`);
  }

  #obey(command: Command, { flow, timeMs }: TocsinFrame): VerdictChange[] | null {
    if (command.kind !== 'silence.set' && command.kind !== 'silence.expire') return null;
    const id = command.kind === 'silence.set' ? command.body.id : command.body.silenceId;
    const wasActive = this.#silences.get(id)?.state === 'active';
    const outcome =
      command.kind === 'silence.set'
        ? this.#silences.set(command.body, command.id, timeMs)
        : this.#silences.expire(id, timeMs);
    flow.answer = answerTo(outcome);
    if (!outcome.ok) return null;
    const changes: VerdictChange[] = [];
    if (outcome.replaced) this.#follow(outcome.replaced, wasActive, changes);
    this.#follow(outcome.silence, wasActive && !outcome.replaced, changes);
    return changes;
  }

  /** Sets the next timer of a silence, and judges anew what it mutes now or has muted so far. */
  #follow({ silence, state }: StoredSilence, wasActive: boolean, changes: VerdictChange[]): void {
    const { id, startsAtMs, endsAtMs } = silence;
    const forgottenAtMs = endsAtMs + this.#retentionMs;
    const dueMs = state === 'pending' ? startsAtMs : state === 'active' ? endsAtMs : forgottenAtMs;
    this.#context.timers.set(`silence/${id}`, dueMs);
    const isActive = state === 'active';
    if (isActive === wasActive) return;
    const affected: string[] = [];
    if (isActive) {
      for (const { fingerprint, labels } of this.#firing.values()) {
        if (this.#silences.isMatch(id, labels)) affected.push(fingerprint);
      }
    } else {
      for (const [fingerprint, verdict] of this.#muted.entries()) {
        if (verdict.muted && verdict.silencedBy.includes(id)) affected.push(fingerprint);
      }
    }
    this.#judge(affected, changes);
  }

  /**
   * Looks again at each of these alerts, and adds the verdicts that changed. Of alerts that have ended only their unmuting is told. The
   * order must follow from log and tables: that in which inhibition touches alerts is another after a restart.
   */
  #judge(fingerprints: Iterable<string>, changes: VerdictChange[]): void {
    for (const fingerprint of fingerprints) {
      const hasEnded = this.#ended.has(fingerprint);
      const alert = hasEnded ? this.#ended.get(fingerprint) : this.#firing.get(fingerprint);
      if (!alert) continue;
      const verdict = this.#verdictOn(alert);
      if (isSame(verdict, this.verdict(fingerprint))) continue;
      if (hasEnded && !verdict.muted) this.#unwatch(fingerprint);
      else this.#store(fingerprint, verdict);
      if (!hasEnded || !verdict.muted) changes.push({ fingerprint, verdict });
    }
  }

  #store(fingerprint: string, verdict: Verdict): void {
    if (verdict.muted) this.#muted.set(fingerprint, verdict);
    else this.#muted.delete(fingerprint);
  }

  #verdictOn(alert: InhibitableAlert): Verdict {
    const silencedBy = this.#silences.matching(alert.labels);
    const inhibitedBy = this.#inhibition.inhibitors(alert);
    return silencedBy.length > 0 || inhibitedBy.length > 0
      ? { muted: true, silencedBy, inhibitedBy }
      : notMuted;
  }
}

function answerTo(outcome: SilenceChange): CommandAnswer {
  if (!outcome.ok) return outcome.answer;
  return { status: 'done', result: { silenceID: outcome.silence.silence.id } };
}

function isSame(a: Verdict, b: Verdict): boolean {
  if (!a.muted || !b.muted) return a.muted === b.muted;
  return isSameList(a.silencedBy, b.silencedBy) && isSameList(a.inhibitedBy, b.inhibitedBy);
}

function isSameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((element, index) => element === b[index]);
}
