import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { fingerprint, labelsOf, labelsToObject, parseDuration, type Alert } from '../../src/alert/index.ts';
import { tocsinConfig } from '../../src/app/config-schema.ts';
import { createPipeline, type Pipeline, type PipelineStages } from '../../src/app/pipeline.ts';
import type { CommandAnswer, Command, Incident, LogEntry, NotifyEffect } from '../../src/incident/index.ts';
import { createInlineScorer } from '../../src/score/index.ts';

type LabelTexts = Readonly<Record<string, string>>;

/** What happens at one moment of a scene. */
export type Act =
  | {
      readonly kind: 'fire';
      readonly labels: LabelTexts;
      readonly since?: string;
      readonly annotations?: LabelTexts;
      readonly key?: string;
    }
  | { readonly kind: 'resolve'; readonly labels: LabelTexts }
  | { readonly kind: 'command'; readonly command: CommandText; readonly id?: string }
  | { readonly kind: 'settle'; readonly receiver: string; readonly status: 'done' | 'failed' }
  | { readonly kind: 'configure'; readonly config: unknown }
  | { readonly kind: 'sleep'; readonly until: string }
  | { readonly kind: 'restart' }
  | { readonly kind: 'look'; readonly look: (stages: PipelineStages) => void };

type CommandText = Command extends infer C ? (C extends Command ? Omit<C, 'id' | 'by'> : never) : never;

/** An alert that fires; `since` is when it began, if that is not now. */
export function firing(labels: LabelTexts, since?: string): Act {
  return { kind: 'fire', labels, ...(since === undefined ? {} : { since }) };
}

/** An alert that fires under a key of its sender's. */
export function firingUnder(key: string, labels: LabelTexts): Act {
  return { kind: 'fire', labels, key };
}

export function resolved(labels: LabelTexts): Act {
  return { kind: 'resolve', labels };
}

/** An operator's act by alex, with an id of its own where none is given. */
export function command(text: CommandText, id?: string): Act {
  return { kind: 'command', command: text, ...(id === undefined ? {} : { id }) };
}

/** The last page to `receiver` could not be delivered. */
export function failed(receiver: string): Act {
  return { kind: 'settle', receiver, status: 'failed' };
}

/** The last page to `receiver` was delivered. */
export function delivered(receiver: string): Act {
  return { kind: 'settle', receiver, status: 'done' };
}

export function configured(config: unknown): Act {
  return { kind: 'configure', config };
}

/** Nobody follows the log until `until`. What happens in between must not be part of the scene. */
export function asleep(until: string): Act {
  return { kind: 'sleep', until };
}

/** The process ends and begins again: all that is left is what its tables hold. */
export function restarted(): Act {
  return { kind: 'restart' };
}

/** Looks at what the stages know at that moment. */
export function look(at: (stages: PipelineStages) => void): Act {
  return { kind: 'look', look: at };
}

export interface TimeSpan {
  readonly from: string;
  readonly to: string;
}

/** Both ends belong to it. */
export function between(from: string, to: string): TimeSpan {
  return { from, to };
}

/** A page as the scene saw it leave; `atMs` counts from the scene's begin. */
export interface SeenPage {
  readonly atMs: number;
  readonly receiver: string;
  readonly status: 'firing' | 'resolved';
  readonly reason: string;
  readonly alerts: readonly { readonly labels: LabelTexts; readonly status: string }[];
  readonly incident: Incident | null;
  /** What the page says beyond the incident. */
  readonly notices: readonly string[];
}

interface Expectation {
  readonly receiver: string;
  readonly span: TimeSpan;
  readonly labels: LabelTexts;
  readonly status: 'firing' | 'resolved';
  readonly count: number;
}

/** A scene under `config`: a whole configuration, or the path of one from the project's root. */
export function createScene(config: unknown): Scene {
  return new Scene(typeof config === 'string' ? parseYaml(readFileSync(config, 'utf8')) : config);
}

const beginMs = Date.UTC(2026, 0, 5, 9);

/**
 * A timeline on virtual time through the whole production pipeline: what is sent when, which pages must leave and which must not.
 * It ends at the last time that it names. Effects are not carried out: a page counts as sent unless `failed` says otherwise.
 */
export class Scene {
  readonly answers: CommandAnswer[] = [];
  readonly #config: unknown;
  #pipeline = freshPipeline();
  readonly #acts: { readonly atMs: number; readonly act: Act }[] = [];
  readonly #expectations: Expectation[] = [];
  readonly #effects: NotifyEffect[] = [];
  #endMs = 0;
  #commandCount = 0;

  constructor(config: unknown) {
    this.#config = config;
  }

  at(time: string, ...acts: readonly Act[]): this {
    for (const act of acts) this.#acts.push({ atMs: this.#ms(time), act });
    return this;
  }

  /** Exactly one page to `receiver` tells within the span of alerts with these labels and this status. */
  expectOne(
    receiver: string,
    span: TimeSpan,
    labels: LabelTexts,
    status: 'firing' | 'resolved' = 'firing',
  ): this {
    return this.#expect({ receiver, span, labels, status, count: 1 });
  }

  expectNone(
    receiver: string,
    span: TimeSpan,
    labels: LabelTexts,
    status: 'firing' | 'resolved' = 'firing',
  ): this {
    return this.#expect({ receiver, span, labels, status, count: 0 });
  }

  /** Folds everything, one entry a batch, lets time run on until `until` at least, and checks what was expected. Gives all pages. */
  async run(until = '0s'): Promise<readonly SeenPage[]> {
    this.#ms(until);
    await this.#apply({ kind: 'config', timeMs: beginMs, payload: parsed(this.#config) });
    for (const { atMs, act } of this.#acts.toSorted((a, b) => a.atMs - b.atMs)) {
      await this.#tickUntil(beginMs + atMs);
      if (act.kind === 'look') act.look(this.#pipeline.stages);
      else if (act.kind === 'restart') this.#restart();
      else await this.#apply(this.#entry(act, beginMs + atMs));
    }
    await this.#tickUntil(beginMs + this.#endMs);
    const pages = this.#effects.map(seenPage);
    for (const expectation of this.#expectations) this.#check(expectation, pages);
    return pages;
  }

  #restart(): void {
    const checkpoint = structuredClone(this.#pipeline.fold.snapshot());
    this.#pipeline = freshPipeline();
    this.#pipeline.fold.restore(checkpoint);
  }

  #expect(expectation: Expectation): this {
    this.#ms(expectation.span.to);
    this.#expectations.push(expectation);
    return this;
  }

  #check({ receiver, span, labels, status, count }: Expectation, pages: readonly SeenPage[]): void {
    const [from, to] = [this.#ms(span.from), this.#ms(span.to)];
    const found = pages.filter(
      (page) =>
        page.receiver === receiver &&
        page.atMs >= from &&
        page.atMs <= to &&
        page.alerts.some((alert) => alert.status === status && hasLabels(alert.labels, labels)),
    );
    const what = `${status} pages of ${JSON.stringify(labels)} to ${receiver} within ${span.from}..${span.to}`;
    expect(
      found.map(({ atMs, reason }) => `${atMs} ms: ${reason}`),
      what,
    ).toHaveLength(count);
  }

  /** Ticks as the partition's owner would: at each due time. */
  async #tickUntil(timeMs: number): Promise<void> {
    const { fold } = this.#pipeline;
    for (;;) {
      const dueMs = fold.nextDueMs();
      if (dueMs === undefined || dueMs > timeMs) return;
      await this.#apply({ kind: 'tick', timeMs: Math.max(dueMs, fold.timeMs), payload: null });
    }
  }

  #entry(act: Exclude<Act, { kind: 'look' | 'restart' }>, timeMs: number): LogEntry {
    switch (act.kind) {
      case 'configure':
        return { kind: 'config', timeMs, payload: parsed(act.config) };
      case 'sleep':
        return { kind: 'resume', timeMs, payload: { atMs: beginMs + this.#ms(act.until) } };
      case 'settle':
        return this.#fact(act, timeMs);
      case 'command': {
        const id = act.id ?? `command-${++this.#commandCount}`;
        const payload = { id, by: 'alex', ...act.command } as Command;
        return { kind: 'command', timeMs, payload };
      }
      case 'fire':
      case 'resolve':
      default:
        return { kind: 'alerts', timeMs, payload: [this.#alert(act, timeMs)] };
    }
  }

  #fact({ receiver, status }: Extract<Act, { kind: 'settle' }>, timeMs: number): LogEntry {
    const effect = this.#effects.findLast(({ payload }) => payload.receiver === receiver);
    if (!effect) throw new Error(`no page has been sent to ${receiver}`);
    const outcome =
      status === 'done'
        ? ({ status, result: null } as const)
        : ({ status, code: 'TOC_NOTIFY_FAILED', message: 'down' } as const);
    return { kind: 'fact', timeMs, payload: { effectId: effect.id, kind: 'notify', outcome } };
  }

  #alert(act: Extract<Act, { kind: 'fire' | 'resolve' }>, timeMs: number): Alert {
    const labels = labelsOf(act.labels);
    const isResolve = act.kind === 'resolve';
    const since = isResolve ? undefined : act.since;
    const annotations = (isResolve ? undefined : act.annotations) ?? {
      summary: act.labels['alertname'] ?? 'alert',
    };
    return {
      fingerprint: fingerprint(labels),
      domain: 'default',
      labels,
      annotations: labelsOf(annotations),
      startsAtMs: isResolve ? timeMs - 1 : since === undefined ? timeMs : beginMs + this.#ms(since),
      endsAtMs: isResolve ? timeMs : timeMs + 3_600_000,
      endsByTimeout: false,
      receivedAtMs: timeMs,
      generatorUrl: '',
      source: 'test',
      ...(act.kind === 'fire' && act.key !== undefined ? { key: act.key } : {}),
    };
  }

  async #apply(entry: LogEntry): Promise<void> {
    const { fold } = this.#pipeline;
    const { frames, effects } = await fold.apply({ firstPosition: fold.position + 1, entries: [entry] });
    this.#effects.push(...effects.filter((effect): effect is NotifyEffect => effect.kind === 'notify'));
    for (const { flow } of frames) if (flow.answer) this.answers.push(flow.answer);
  }

  /** Reads a time of the scene, which lasts at least until then. */
  #ms(time: string): number {
    const outcome = parseDuration(time);
    if (!outcome.ok) throw new Error(outcome.error);
    this.#endMs = Math.max(this.#endMs, outcome.ms);
    return outcome.ms;
  }
}

function freshPipeline(): Pipeline {
  return createPipeline({ scorer: createInlineScorer(), withHistory: false });
}

function seenPage({ payload }: NotifyEffect): SeenPage {
  const { atMs, receiver, status, notificationReason: reason, alerts, incident, notices = [] } = payload;
  return {
    atMs: atMs - beginMs,
    receiver,
    status,
    reason,
    alerts: alerts.map((notified) => ({
      labels: labelsToObject(notified.alert.labels),
      status: notified.status,
    })),
    incident,
    notices,
  };
}

function hasLabels(labels: LabelTexts, wanted: LabelTexts): boolean {
  return Object.entries(wanted).every(([name, value]) => labels[name] === value);
}

function parsed(config: unknown): Readonly<Record<string, unknown>> {
  return JSON.parse(JSON.stringify(tocsinConfig.parse(config))) as Readonly<Record<string, unknown>>;
}
