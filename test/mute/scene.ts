import { fingerprint, labelsOf, type Alert } from '../../src/alert/index.ts';
import { Fold } from '../../src/engine/index.ts';
import {
  createFlow,
  type CommandAnswer,
  type Flow,
  type LogEntry,
  type SilenceBody,
  type TocsinFrame,
  type VerdictChange,
} from '../../src/incident/index.ts';
import { createMuteStage, inhibitRulesConfig, muteConfig, type MuteStage } from '../../src/mute/index.ts';
import { createIntakeStage } from '../../src/source/index.ts';

export type Report = Readonly<Record<string, string>>;

export const startMs = 1_767_571_200_000;
const hourMs = 3_600_000;

/** An alert of these labels; `domain` makes it one of another domain, as intake has it. It ends by itself after two days. */
export function alertOf(labels: Report, timeMs: number, isResolve = false): Alert {
  const named = labelsOf(labels);
  return {
    fingerprint: fingerprint(named),
    domain: labels['domain'] ?? 'default',
    labels: named,
    annotations: [],
    startsAtMs: isResolve ? timeMs - 1 : timeMs,
    endsAtMs: isResolve ? timeMs : timeMs + 48 * hourMs,
    endsByTimeout: false,
    receivedAtMs: timeMs,
    generatorUrl: '',
    source: 'test',
  };
}

export function fingerprintOf(labels: Report): string {
  return fingerprint(labelsOf(labels));
}

export function configEntry(rules: unknown, mute: unknown, timeMs: number): LogEntry {
  const payload = { inhibit_rules: inhibitRulesConfig.parse(rules), mute: muteConfig.parse(mute) };
  return { kind: 'config', timeMs, payload };
}

export interface Bench {
  readonly fold: Fold<LogEntry, Flow>;
  readonly mute: MuteStage;
}

/** A fold of intake and mute. */
export function createBench(): Bench {
  let mute: MuteStage | undefined;
  const fold = new Fold<LogEntry, Flow>({
    stages: [
      ['source', createIntakeStage],
      ['mute', (context) => (mute = createMuteStage(context))],
    ],
    createFlow,
  });
  return { fold, mute: mute! };
}

/** A story in seconds from its begin. Times must not go back. */
export class MuteScene {
  #bench = createBench();
  #commandCount = 0;

  get mute(): MuteStage {
    return this.#bench.mute;
  }

  configure(rules: unknown, mute: unknown = {}, second = 0): Promise<readonly VerdictChange[]> {
    return this.#verdicts(configEntry(rules, mute, at(second)));
  }

  fire(second: number, ...reports: Report[]): Promise<readonly VerdictChange[]> {
    return this.#alerts(
      second,
      reports.map((report) => alertOf(report, at(second))),
    );
  }

  resolve(second: number, ...reports: Report[]): Promise<readonly VerdictChange[]> {
    return this.#alerts(
      second,
      reports.map((report) => alertOf(report, at(second), true)),
    );
  }

  tick(second: number): Promise<readonly VerdictChange[]> {
    return this.#verdicts({ kind: 'tick', timeMs: at(second), payload: null });
  }

  /** The process ends and begins again: all that is left is what its tables hold. */
  restart(): void {
    const checkpoint = structuredClone(this.#bench.fold.snapshot());
    this.#bench = createBench();
    this.#bench.fold.restore(checkpoint);
  }

  /** Sets a silence from second `from` to second `to`. The command's id is `command-<n>`, counted from 1. */
  silence(second: number, body: SilenceText): Promise<CommandAnswer | null> {
    const { from = second, to = second + 600, id = 'quiet', matchers } = body;
    return this.#command(second, {
      kind: 'silence.set',
      body: {
        id,
        matchers: matchers.map(matcherOf),
        startsAtMs: at(from),
        endsAtMs: at(to),
        createdBy: 'alex',
        comment: body.comment ?? '',
      },
    });
  }

  expire(second: number, silenceId: string): Promise<CommandAnswer | null> {
    return this.#command(second, { kind: 'silence.expire', body: { silenceId } });
  }

  async #command(
    second: number,
    command:
      | { kind: 'silence.set'; body: SilenceBody }
      | { kind: 'silence.expire'; body: { silenceId: string } },
  ): Promise<CommandAnswer | null> {
    const payload = { id: `command-${++this.#commandCount}`, by: 'alex', ...command };
    const frames = await this.#apply({ kind: 'command', timeMs: at(second), payload });
    return frames.at(-1)?.flow.answer ?? null;
  }

  async #alerts(second: number, payload: readonly Alert[]): Promise<readonly VerdictChange[]> {
    return this.#verdicts({ kind: 'alerts', timeMs: at(second), payload });
  }

  async #verdicts(entry: LogEntry): Promise<readonly VerdictChange[]> {
    return (await this.#apply(entry)).flatMap(({ flow }) => flow.verdictChanges);
  }

  async #apply(entry: LogEntry): Promise<readonly TocsinFrame[]> {
    const { fold } = this.#bench;
    return (await fold.apply({ firstPosition: fold.position + 1, entries: [entry] })).frames;
  }
}

export interface SilenceText {
  readonly id?: string;
  /** `name=value`, `name!=value`, `name=~value` or `name!~value`, without quotes. */
  readonly matchers: readonly string[];
  readonly from?: number;
  readonly to?: number;
  readonly comment?: string;
}

export function matcherOf(text: string): SilenceBody['matchers'][number] {
  const [, name = '', operator = '', value = ''] = /^(\w*)(=~|!=|!~|=)(.*)$/.exec(text) ?? [];
  return { name, value, isRegex: operator.endsWith('~'), isEqual: operator.startsWith('=') };
}

function at(second: number): number {
  return startMs + second * 1000;
}
