import { labelsOf, type Alert } from '../../src/alert/index.ts';
import { Fold } from '../../src/engine/index.ts';
import { createFlow, type AlertChange, type Flow, type LogEntry } from '../../src/incident/index.ts';
import { createIntakeStage, type DecodeContext, type IntakeStage } from '../../src/source/index.ts';
import { createAlert } from '../../src/source/report.ts';

export const nowMs = Date.parse('2026-08-24T10:00:00Z');
export const minuteMs = 60_000;

export const context: DecodeContext = {
  nowMs,
  resolveTimeoutMs: 5 * minuteMs,
  defaultDomain: 'default',
  domainLabel: 'domain',
};

/** An alert whose times are minutes from `nowMs`. */
export function alertAt(
  labels: Record<string, string>,
  startsAtMinutes: number,
  endsAtMinutes: number,
  more: { readonly endsByTimeout?: boolean; readonly annotations?: Record<string, string> } = {},
): Alert {
  return createAlert(
    { labels: labelsOf(labels), annotations: labelsOf(more.annotations ?? {}), generatorUrl: '' },
    {
      startsAtMs: nowMs + startsAtMinutes * minuteMs,
      endsAtMs: nowMs + endsAtMinutes * minuteMs,
      endsByTimeout: more.endsByTimeout ?? false,
    },
    'test',
    context,
  );
}

export function alertsEntry(minutes: number, ...payload: readonly Alert[]): LogEntry {
  return { kind: 'alerts', timeMs: nowMs + minutes * minuteMs, payload };
}

export function tickEntry(minutes: number): LogEntry {
  return { kind: 'tick', timeMs: nowMs + minutes * minuteMs, payload: null };
}

/** What the intake stage made of a log: every change with its time in minutes, in order. */
export interface SeenChange extends AlertChange {
  readonly minutes: number;
}

export class IntakeScene {
  readonly #fold: Fold<LogEntry, Flow>;
  #stage: IntakeStage | null = null;

  constructor() {
    this.#fold = new Fold<LogEntry, Flow>({
      stages: [
        [
          'source',
          (lent) => {
            this.#stage = createIntakeStage(lent);
            return this.#stage;
          },
        ],
      ],
      createFlow,
    });
  }

  get stage(): IntakeStage {
    return this.#stage!;
  }

  get fold(): Fold<LogEntry, Flow> {
    return this.#fold;
  }

  async apply(...entries: readonly LogEntry[]): Promise<SeenChange[]> {
    const { frames } = await this.#fold.apply({ firstPosition: this.#fold.position + 1, entries });
    return frames.flatMap(({ timeMs, flow }) =>
      flow.alertChanges.map((change) => ({ ...change, minutes: (timeMs - nowMs) / minuteMs })),
    );
  }
}

/** The words for each change, for short expectations: `fired`, `expired@5`. */
export function words(changes: readonly SeenChange[]): string[] {
  return changes.map(({ change, minutes, index }) => (index < 0 ? `${change}@${minutes}` : change));
}
