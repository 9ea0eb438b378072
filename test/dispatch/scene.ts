import { fingerprint, labelsOf, labelsToObject, type Alert } from '../../src/alert/index.ts';
import { createDispatchStage, routeConfig, type DispatchStage } from '../../src/dispatch/index.ts';
import { Fold } from '../../src/engine/index.ts';
import {
  createFlow,
  type Command,
  type Flow,
  type LogEntry,
  type NotifyEffect,
} from '../../src/incident/index.ts';
import { createMuteStage, inhibitRulesConfig } from '../../src/mute/index.ts';
import { receiversConfig } from '../../src/notify/index.ts';
import { createIntakeStage } from '../../src/source/index.ts';

export type Report = Readonly<Record<string, string>>;

export const startMs = 1_767_571_200_000;
const dayMs = 86_400_000;

export interface Bench {
  readonly fold: Fold<LogEntry, Flow>;
  readonly dispatch: DispatchStage;
}

/** A fold of intake, mute and dispatch: Alertmanager, without incidents. */
export function createBench(): Bench {
  let dispatch: DispatchStage | undefined;
  const fold = new Fold<LogEntry, Flow>({
    stages: [
      ['source', createIntakeStage],
      ['mute', createMuteStage],
      ['dispatch', (context) => (dispatch = createDispatchStage(context))],
    ],
    createFlow,
  });
  return { fold, dispatch: dispatch! };
}

export interface ConfigText {
  readonly route: unknown;
  readonly receivers: unknown;
  readonly inhibit_rules?: unknown;
}

export function configEntry({ route, receivers, inhibit_rules = [] }: ConfigText, timeMs: number): LogEntry {
  const payload = {
    route: routeConfig.parse(route),
    receivers: receiversConfig.parse(receivers),
    inhibit_rules: inhibitRulesConfig.parse(inhibit_rules),
  };
  return { kind: 'config', timeMs, payload };
}

/** An alert that began `ageMs` ago, or one that resolves now. */
export function alertOf(
  labels: Report,
  timeMs: number,
  { ageMs = 0, isResolve = false, note = '' }: { ageMs?: number; isResolve?: boolean; note?: string } = {},
): Alert {
  const named = labelsOf(labels);
  return {
    fingerprint: fingerprint(named),
    domain: 'default',
    labels: named,
    annotations: labelsOf({ note }),
    startsAtMs: isResolve ? timeMs - 1 : timeMs - ageMs,
    endsAtMs: isResolve ? timeMs : timeMs + 10 * dayMs,
    endsByTimeout: false,
    receivedAtMs: timeMs,
    generatorUrl: '',
    source: 'test',
  };
}

export function fingerprintOf(labels: Report): string {
  return fingerprint(labelsOf(labels));
}

/** A page as tests compare it. Alerts are shown by their labels. */
export interface ShownPage {
  readonly atMs: number;
  readonly receiver: string;
  /** Empty where the receiver has none. */
  readonly integration: string;
  readonly groupKey: string;
  readonly status: string;
  readonly reason: string;
  readonly firing: readonly string[];
  readonly resolved: readonly string[];
}

export function shownPage({ payload }: NotifyEffect): ShownPage {
  const { atMs, receiver, integration, groupKey, status, notificationReason, alerts } = payload;
  const shown = (wanted: string): string[] =>
    alerts
      .filter((alert) => alert.status === wanted)
      .map(({ alert }) => shownLabels(labelsToObject(alert.labels)));
  return {
    atMs,
    receiver,
    integration: integration ?? '',
    groupKey,
    status,
    reason: notificationReason,
    firing: shown('firing').toSorted(),
    resolved: shown('resolved').toSorted(),
  };
}

export function shownLabels(labels: Report): string {
  return Object.keys(labels)
    .toSorted()
    .map((name) => `${name}=${labels[name]}`)
    .join(' ');
}

/** A story in seconds from its begin, told to one bench. Times must not go back. */
export class DispatchScene {
  readonly #bench = createBench();
  readonly effects: NotifyEffect[] = [];
  #commandCount = 0;

  get dispatch(): DispatchStage {
    return this.#bench.dispatch;
  }

  configure(config: ConfigText, second = 0): Promise<void> {
    return this.#apply(configEntry(config, at(second)));
  }

  fire(second: number, ...reports: Report[]): Promise<void> {
    return this.#alerts(
      second,
      reports.map((report) => alertOf(report, at(second))),
    );
  }

  /** Alerts that began long ago. */
  fireOld(second: number, ...reports: Report[]): Promise<void> {
    return this.#alerts(
      second,
      reports.map((report) => alertOf(report, at(second), { ageMs: 3_600_000 })),
    );
  }

  resolve(second: number, ...reports: Report[]): Promise<void> {
    return this.#alerts(
      second,
      reports.map((report) => alertOf(report, at(second), { isResolve: true })),
    );
  }

  silence(second: number, name: string, value: string, lastsSeconds = 3600): Promise<void> {
    const body = {
      id: `silence-${++this.#commandCount}`,
      matchers: [{ name, value, isRegex: false, isEqual: true }],
      startsAtMs: at(second),
      endsAtMs: at(second + lastsSeconds),
      createdBy: '',
      comment: '',
    };
    const payload: Command = { id: `command-${this.#commandCount}`, by: 'alex', kind: 'silence.set', body };
    return this.#apply({ kind: 'command', timeMs: at(second), payload });
  }

  fail(second: number, effectId: string, code = 'TOC_NOTIFY_FAILED'): Promise<void> {
    const outcome = { status: 'failed', code, message: 'down' } as const;
    return this.#apply({ kind: 'fact', timeMs: at(second), payload: { effectId, kind: 'notify', outcome } });
  }

  done(second: number, effectId: string): Promise<void> {
    const outcome = { status: 'done', result: null } as const;
    return this.#apply({ kind: 'fact', timeMs: at(second), payload: { effectId, kind: 'notify', outcome } });
  }

  tick(second: number): Promise<void> {
    return this.#apply({ kind: 'tick', timeMs: at(second), payload: null });
  }

  /** Pages so far as `second receiver status: reason [firing] [resolved]`, each alert by its label `instance`. */
  pages(): string[] {
    return this.effects.map((effect) => {
      const { atMs, receiver, status, notificationReason, alerts } = effect.payload;
      const named = (wanted: string): string =>
        alerts
          .filter((alert) => alert.status === wanted)
          .map(({ alert }) => labelsToObject(alert.labels)['instance'] ?? '?')
          .toSorted()
          .join(',');
      const second = (atMs - startMs) / 1000;
      return `${second} ${receiver} ${status}: ${notificationReason} [${named('firing')}] [${named('resolved')}]`;
    });
  }

  #alerts(second: number, payload: readonly Alert[]): Promise<void> {
    return this.#apply({ kind: 'alerts', timeMs: at(second), payload });
  }

  async #apply(entry: LogEntry): Promise<void> {
    const { fold } = this.#bench;
    const { effects } = await fold.apply({ firstPosition: fold.position + 1, entries: [entry] });
    this.effects.push(...(effects as NotifyEffect[]));
  }
}

function at(second: number): number {
  return startMs + second * 1000;
}
