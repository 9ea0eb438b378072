import {
  labelsOf,
  matchesAll,
  fingerprint,
  labelsToObject,
  compileMatchers,
  parseDuration,
  type Alert,
} from '../../src/alert/index.ts';
import { tocsinConfig } from '../../src/app/config-schema.ts';
import { createPipeline, type Pipeline } from '../../src/app/pipeline.ts';
import type {
  Command,
  CommandAnswer,
  LogEntry,
  NotifyEffect,
  TocsinFrame,
} from '../../src/incident/index.ts';
import { createInlineScorer } from '../../src/score/index.ts';
import { expect } from 'vitest';

/** What a scene sends at one moment. */
export type Act =
  | {
      readonly kind: 'fire' | 'resolve';
      readonly labels: Readonly<Record<string, string>>;
      readonly startsAt?: string;
      readonly annotations?: Readonly<Record<string, string>>;
    }
  | { readonly kind: 'command'; readonly command: Omit<Extract<Command, { body: unknown }>, 'id' | 'by'> }
  | { readonly kind: 'fail'; readonly receiver: string }
  | { readonly kind: 'configure'; readonly config: unknown };

export const firing = (labels: Record<string, string>, startsAt?: string): Act => ({
  kind: 'fire',
  labels,
  ...(startsAt === undefined ? {} : { startsAt }),
});
export const resolved = (labels: Record<string, string>): Act => ({ kind: 'resolve', labels });

/** A page as the scene saw it leave; `atMs` counts from the scene's begin. */
export interface SeenPage {
  readonly atMs: number;
  readonly receiver: string;
  readonly status: 'firing' | 'resolved';
  readonly reason: string;
  readonly alerts: readonly { readonly labels: Readonly<Record<string, string>>; readonly status: string }[];
}

const beginMs = Date.UTC(2026, 0, 5, 9);

/**
 * A timeline on virtual time through the whole production pipeline: what is sent when, and which pages must have left and which
 * must not. Effects are not carried out; `fail` says that the last page to a receiver was not delivered.
 */
export class Scene {
  readonly #config: unknown;
  readonly #acts: { atMs: number; act: Act }[] = [];
  readonly answers: CommandAnswer[] = [];
  readonly frames: TocsinFrame[] = [];
  readonly effects: NotifyEffect[] = [];
  pipeline: Pipeline;

  constructor(config: unknown) {
    this.#config = config;
    this.pipeline = createPipeline({ scorer: createInlineScorer(), withHistory: false });
  }

  at(time: string, ...acts: Act[]): this {
    for (const act of acts) this.#acts.push({ atMs: ms(time), act });
    return this;
  }

  /** Folds everything, one entry a batch, and lets time run on until `until`. */
  async run(until: string): Promise<readonly SeenPage[]> {
    await this.#apply({ kind: 'config', timeMs: beginMs, payload: parse(this.#config) });
    for (const { atMs, act } of this.#acts.toSorted((a, b) => a.atMs - b.atMs)) {
      await this.#tickUntil(beginMs + atMs);
      await this.#apply(this.#entry(act, beginMs + atMs));
    }
    await this.#tickUntil(beginMs + ms(until));
    return this.pages();
  }

  pages(): readonly SeenPage[] {
    return this.effects.map(({ payload }) => ({
      atMs: payload.atMs - beginMs,
      receiver: payload.receiver,
      status: payload.status,
      reason: payload.notificationReason,
      alerts: payload.alerts.map(({ alert, status }) => ({ labels: labelsToObject(alert.labels), status })),
    }));
  }

  /** Pages to `receiver` between two times that tell of an alert with these labels. */
  pagesOf(
    receiver: string,
    from: string,
    to: string,
    labels: Record<string, string>,
    status = 'firing',
  ): readonly SeenPage[] {
    const compiled = compileMatchers(
      Object.entries(labels).map(([name, value]) => ({ name, value, isRegex: false, isEqual: true })),
    );
    if (!compiled.ok) throw new Error(compiled.error);
    return this.pages().filter(
      (page) =>
        page.receiver === receiver &&
        page.atMs >= ms(from) &&
        page.atMs <= ms(to) &&
        page.alerts.some(
          (alert) => alert.status === status && matchesAll(compiled.matchers, labelsOf(alert.labels)),
        ),
    );
  }

  expectOne(
    receiver: string,
    from: string,
    to: string,
    labels: Record<string, string>,
    status = 'firing',
  ): void {
    expect(
      this.pagesOf(receiver, from, to, labels, status),
      `one page of ${JSON.stringify(labels)} ${from}..${to}`,
    ).toHaveLength(1);
  }

  expectNone(
    receiver: string,
    from: string,
    to: string,
    labels: Record<string, string>,
    status = 'firing',
  ): void {
    expect(
      this.pagesOf(receiver, from, to, labels, status),
      `no page of ${JSON.stringify(labels)} ${from}..${to}`,
    ).toEqual([]);
  }

  /** Ticks as the partition's owner would: at each due time. */
  async #tickUntil(timeMs: number): Promise<void> {
    for (;;) {
      const dueMs = this.pipeline.fold.nextDueMs();
      if (dueMs === undefined || dueMs > timeMs) return;
      await this.#apply({ kind: 'tick', timeMs: Math.max(dueMs, this.pipeline.fold.timeMs), payload: null });
    }
  }

  #entry(act: Act, timeMs: number): LogEntry {
    if (act.kind === 'configure') return { kind: 'config', timeMs, payload: parse(act.config) };
    if (act.kind === 'fail') return this.#failure(act.receiver, timeMs);
    if (act.kind !== 'command') return { kind: 'alerts', timeMs, payload: [alertOf(act, timeMs)] };
    return {
      kind: 'command',
      timeMs,
      payload: { id: `command-${timeMs}`, by: 'alex', ...act.command } as Command,
    };
  }

  #failure(receiver: string, timeMs: number): LogEntry {
    const effectId = this.effects.findLast(({ payload }) => payload.receiver === receiver)?.id ?? '';
    const outcome = { status: 'failed', code: 'TOC_NOTIFY_FAILED', message: 'down' } as const;
    return { kind: 'fact', timeMs, payload: { effectId, kind: 'notify', outcome } };
  }

  async #apply(entry: LogEntry): Promise<void> {
    const { frames, effects } = await this.pipeline.fold.apply({
      firstPosition: this.pipeline.fold.position + 1,
      entries: [entry],
    });
    this.frames.push(...frames);
    this.effects.push(...effects.filter((effect): effect is NotifyEffect => effect.kind === 'notify'));
    for (const { flow } of frames) if (flow.answer) this.answers.push(flow.answer);
  }
}

function alertOf(act: Extract<Act, { kind: 'fire' | 'resolve' }>, timeMs: number): Alert {
  const labels = labelsOf(act.labels);
  const startsAtMs = act.startsAt === undefined ? timeMs : beginMs + ms(act.startsAt);
  return {
    fingerprint: fingerprint(labels),
    domain: 'default',
    labels,
    annotations: labelsOf(act.annotations ?? { summary: act.labels['alertname'] ?? 'alert' }),
    startsAtMs: act.kind === 'resolve' ? timeMs - 1 : startsAtMs,
    endsAtMs: act.kind === 'resolve' ? timeMs : timeMs + 3_600_000,
    endsByTimeout: false,
    receivedAtMs: timeMs,
    generatorUrl: '',
    source: 'test',
  };
}

function parse(config: unknown): Readonly<Record<string, unknown>> {
  return JSON.parse(JSON.stringify(tocsinConfig.parse(config))) as Readonly<Record<string, unknown>>;
}

function ms(text: string): number {
  if (text.startsWith('-')) return -ms(text.slice(1));
  const parsed = parseDuration(text);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.ms;
}
