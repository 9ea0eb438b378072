import { compileMatchers, labelValue, matchesAll, type Labels, type Matcher } from '../alert/index.ts';
import type { InhibitRulesConfig } from './config.ts';
import { SmallestFirst } from './smallest-first.ts';

/** An alert, as inhibition sees it. */
export interface InhibitableAlert {
  readonly fingerprint: string;
  readonly domain: string;
  readonly labels: Labels;
}

/** The alerts of one domain that a rule brings together: they have the same values in its `equal` labels. */
interface Meeting {
  /** Firing alerts that match the source side alone: they inhibit everything that matches the target side. */
  readonly sources: SmallestFirst;
  /** Alerts that match both sides: they inhibit `targets`, but never each other. */
  readonly bothSides: SmallestFirst;
  /** Alerts that match the target side alone. */
  readonly targets: Set<string>;
}

interface Rule {
  readonly source: readonly Matcher[];
  readonly target: readonly Matcher[];
  readonly equal: readonly string[];
  readonly meetings: Map<string, Meeting>;
}

/** Takes the fingerprint of an alert whose inhibition may have changed. */
type Touch = (fingerprint: string) => void;

/**
 * Which firing alerts inhibit which, under Alertmanager's rules (inhibit/inhibit.go): a target is inhibited while a source with
 * the same `equal` values fires; an alert that matches both sides of a rule is not inhibited by another such alert. Alerts of
 * different domains never meet.
 *
 * Of several sources the one with the smallest fingerprint is named. Fingerprints are hashes, so that of n sources that come and go
 * only about ln n change what is named, and only those cost a look at the targets. What is named depends on the alerts
 * alone and not on their order.
 */
export class Inhibition {
  readonly #rules: readonly Rule[];

  constructor(config: InhibitRulesConfig) {
    this.#rules = config.map(({ source, target, equal }) => ({
      source: compiled(source),
      target: compiled(target),
      equal,
      meetings: new Map(),
    }));
  }

  /** Takes an alert in, both as a source and as a target. `touch` gets the others that it may inhibit now. */
  add(alert: InhibitableAlert, touch: Touch): void {
    for (const rule of this.#rules) {
      const isSource = matchesAll(rule.source, alert.labels);
      const isTarget = matchesAll(rule.target, alert.labels);
      if (!isSource && !isTarget) continue;
      const meeting = meetingFor(rule, alert);
      if (!isSource) meeting.targets.add(alert.fingerprint);
      else if (isTarget) {
        if (meeting.bothSides.add(alert.fingerprint) && meeting.sources.size === 0)
          touchTargets(meeting, touch);
      } else if (meeting.sources.add(alert.fingerprint)) {
        touchTargets(meeting, touch);
        meeting.bothSides.each(touch);
      }
    }
  }

  /** Takes an alert out: it inhibits nothing any more. `touch` gets those that it may have inhibited. */
  remove(alert: InhibitableAlert, touch: Touch): void {
    for (const rule of this.#rules) {
      const key = equalKey(rule, alert);
      const meeting = rule.meetings.get(key);
      if (!meeting) continue;
      const { sources, bothSides, targets } = meeting;
      targets.delete(alert.fingerprint);
      if (bothSides.delete(alert.fingerprint) && sources.size === 0) touchTargets(meeting, touch);
      if (sources.delete(alert.fingerprint)) {
        touchTargets(meeting, touch);
        bothSides.each(touch);
      }
      if (sources.size + bothSides.size + targets.size === 0) rule.meetings.delete(key);
    }
  }

  /** Takes in an alert that no longer fires: it may be inhibited, but inhibits nothing. `remove` takes it out. */
  addTarget(alert: InhibitableAlert): void {
    for (const rule of this.#rules) {
      if (matchesAll(rule.target, alert.labels)) meetingFor(rule, alert).targets.add(alert.fingerprint);
    }
  }

  /** The fingerprints of the alerts that inhibit this one, one a rule. */
  inhibitors(alert: InhibitableAlert): string[] {
    const found = new Set<string>();
    for (const rule of this.#rules) {
      if (rule.meetings.size === 0 || !matchesAll(rule.target, alert.labels)) continue;
      const meeting = rule.meetings.get(equalKey(rule, alert));
      if (!meeting) continue;
      const isSource = matchesAll(rule.source, alert.labels);
      const inhibitor = meeting.sources.first ?? (isSource ? undefined : meeting.bothSides.first);
      if (inhibitor !== undefined) found.add(inhibitor);
    }
    return [...found];
  }
}

function compiled(texts: InhibitRulesConfig[number]['source']): readonly Matcher[] {
  const outcome = compileMatchers(texts);
  if (!outcome.ok) throw new Error(`inhibit rule was not checked: ${outcome.error}`);
  return outcome.matchers;
}

function equalKey({ equal }: Rule, { domain, labels }: InhibitableAlert): string {
  return JSON.stringify([domain, ...equal.map((name) => labelValue(labels, name))]);
}

function meetingFor(rule: Rule, alert: InhibitableAlert): Meeting {
  const key = equalKey(rule, alert);
  let meeting = rule.meetings.get(key);
  if (!meeting) {
    meeting = { sources: new SmallestFirst(), bothSides: new SmallestFirst(), targets: new Set() };
    rule.meetings.set(key, meeting);
  }
  return meeting;
}

function touchTargets({ targets }: Meeting, touch: Touch): void {
  for (const fingerprint of targets) touch(fingerprint);
}
