import type { Alert } from '../alert/index.ts';
import type { StageContext, Table } from '../engine/index.ts';
import type {
  Command,
  CommandAnswer,
  LogEntry,
  TocsinFrame,
  TocsinStage,
  Verdict,
  VerdictChange,
} from '../incident/index.ts';
import { inhibitRulesConfig, muteConfig, type InhibitRulesConfig, type MuteConfig } from './config.ts';
import { Inhibition, type FiringAlert } from './inhibition.ts';
import { Silences, type SilenceChange, type StoredSilence } from './silences.ts';

/** The mute stage, and what it says of each alert. */
export interface MuteStage extends TocsinStage {
  silences(): IterableIterator<StoredSilence>;
  silence(id: string): StoredSilence | undefined;
  verdict(fingerprint: string): Verdict;
}

/**
 * Marks alerts that nobody is to be notified of, by silences and by inhibition; it never drops one. Verdicts travel as changes:
 * one for each alert that fires, and one whenever a silence or another alert changes it.
 */
export function createMuteStage(context: StageContext): MuteStage {
  return new Mute(context);
}

const notMuted: Verdict = { muted: false };

class Mute implements MuteStage {
  readonly name = 'mute';
  readonly #context: StageContext;
  readonly #silences: Silences;
  /** Alerts that fire, in the order in which they began to. */
  readonly #firing: Table<FiringAlert>;
  readonly #muted: Table<Verdict>;
  #inhibition = new Inhibition([]);
  #retentionMs = muteConfig.parse({}).silence_retention;

  constructor(context: StageContext) {
    this.#context = context;
    this.#silences = new Silences(context.table<StoredSilence>('silences'));
    this.#firing = context.table<FiringAlert>('firing');
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
    if (config?.kind === 'config') this.#configure(config.payload);
    else this.#rebuild([]);
  }

  onFrame(frame: TocsinFrame): void {
    const { entry, flow } = frame;
    if (entry?.kind === 'config') {
      this.#configure(entry.payload);
      flow.verdictChanges = this.#judge(this.#firing.keys());
    } else if (entry?.kind === 'command') this.#obey(entry.payload, frame);
    let changes: VerdictChange[] | null = null;
    for (let i = 0; i < flow.alertChanges.length; i++) {
      const { change, alert } = flow.alertChanges[i]!;
      if (change === 'repeated' || change === 'updated' || change === 'ignored') continue;
      changes ??= [...flow.verdictChanges];
      if (change === 'fired') this.#begin(alert, changes);
      else this.#end(alert, changes);
    }
    if (changes) flow.verdictChanges = changes;
  }

  /** A silence begins, ends or is forgotten. */
  onTimer(id: string, { timeMs, flow }: TocsinFrame): void {
    const before = this.#silences.get(id);
    if (!before) return;
    if (before.state === 'expired') {
      this.#silences.forget(id);
      return;
    }
    flow.verdictChanges = this.#moved(before, this.#silences.advance(id, timeMs));
  }

  #configure(config: Readonly<Record<string, unknown>>): void {
    this.#retentionMs = ((config['mute'] ?? muteConfig.parse({})) as MuteConfig).silence_retention;
    this.#rebuild((config['inhibit_rules'] ?? inhibitRulesConfig.parse([])) as InhibitRulesConfig);
  }

  #rebuild(rules: InhibitRulesConfig): void {
    this.#inhibition = new Inhibition(rules);
    for (const alert of this.#firing.values()) this.#inhibition.add(alert);
  }

  #begin({ fingerprint, domain, labels }: Alert, changes: VerdictChange[]): void {
    const firing: FiringAlert = { fingerprint, domain, labels };
    this.#firing.set(fingerprint, firing);
    const touched = this.#inhibition.add(firing);
    this.#store(fingerprint, this.#verdictOn(firing));
    changes.push({ fingerprint, verdict: this.verdict(fingerprint) }, ...this.#judge(touched));
  }

  #end({ fingerprint }: Alert, changes: VerdictChange[]): void {
    const firing = this.#firing.get(fingerprint);
    if (!firing) return;
    this.#firing.delete(fingerprint);
    this.#muted.delete(fingerprint);
    changes.push(...this.#judge(this.#inhibition.remove(firing)));
  }

  #obey(command: Command, { flow, timeMs }: TocsinFrame): void {
    if (command.kind === 'silence.set') {
      const outcome = this.#silences.set(command.body, command.id, timeMs);
      flow.answer = this.#answer(outcome);
      if (outcome.ok) flow.verdictChanges = this.#moved(outcome.replaced, outcome.silence);
    } else if (command.kind === 'silence.expire') {
      const before = this.#silences.get(command.body.silenceId) ?? null;
      const outcome = this.#silences.expire(command.body.silenceId, timeMs);
      flow.answer = this.#answer(outcome);
      if (outcome.ok) flow.verdictChanges = this.#moved(before, outcome.silence);
    }
  }

  #answer(outcome: SilenceChange): CommandAnswer {
    if (!outcome.ok) return outcome.answer;
    return { status: 'done', result: { silenceID: outcome.silence.silence.id } };
  }

  /** Sets the silence's next timer, and judges anew the alerts that it covered or covers. */
  #moved(before: StoredSilence | null, after: StoredSilence | undefined): VerdictChange[] {
    const affected = new Set<string>();
    for (const stored of [before, after]) {
      if (!stored) continue;
      const { id, startsAtMs, endsAtMs } = stored.silence;
      const current = this.#silences.get(id);
      if (current?.state === 'expired')
        this.#context.timers.set(id, current.silence.endsAtMs + this.#retentionMs);
      else this.#context.timers.set(id, stored.state === 'pending' ? startsAtMs : endsAtMs);
      for (const [fingerprint, verdict] of this.#muted.entries()) {
        if (verdict.muted && verdict.silencedBy.includes(id)) affected.add(fingerprint);
      }
      for (const alert of this.#firing.values()) {
        if (this.#silences.isMatch(id, alert.labels)) affected.add(alert.fingerprint);
      }
    }
    return this.#judge(affected);
  }

  /** Looks again at each of these firing alerts; gives the verdicts that changed. */
  #judge(fingerprints: Iterable<string>): VerdictChange[] {
    const changes: VerdictChange[] = [];
    for (const fingerprint of fingerprints) {
      const alert = this.#firing.get(fingerprint);
      if (!alert) continue;
      const verdict = this.#verdictOn(alert);
      if (isSame(verdict, this.verdict(fingerprint))) continue;
      this.#store(fingerprint, verdict);
      changes.push({ fingerprint, verdict });
    }
    return changes;
  }

  #store(fingerprint: string, verdict: Verdict): void {
    if (verdict.muted) this.#muted.set(fingerprint, verdict);
    else this.#muted.delete(fingerprint);
  }

  #verdictOn(alert: FiringAlert): Verdict {
    const silencedBy = this.#silences.matching(alert.labels);
    const inhibitedBy = this.#inhibition.inhibitors(alert);
    return silencedBy.length > 0 || inhibitedBy.length > 0
      ? { muted: true, silencedBy, inhibitedBy }
      : notMuted;
  }
}

function isSame(a: Verdict, b: Verdict): boolean {
  if (!a.muted || !b.muted) return a.muted === b.muted;
  return a.silencedBy.join() === b.silencedBy.join() && a.inhibitedBy.join() === b.inhibitedBy.join();
}
