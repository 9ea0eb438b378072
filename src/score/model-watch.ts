import { labelsOf } from '../alert/index.ts';
import type { StageContext } from '../engine/index.ts';
import type { Command, CommandAnswer, ConfigEntry, OwnAlertEffect, TocsinFrame } from '../incident/index.ts';
import type { KindState } from './baselines.ts';
import type { ScoreConfig } from './config.ts';
import type { DomainHistory } from './domain.ts';
import { Drift, type DriftView } from './drift.ts';
import type { ScoreModel } from './model.ts';
import { ModelsInForce, type ModelView } from './models-in-force.ts';
import { Shadow, type ShadowReport } from './shadow.ts';

/** The models of a partition, for people. */
export interface ModelsView {
  /** Null where no model is in force. */
  readonly active: ModelView | null;
  readonly candidate: ModelView | null;
  /** What the candidate would have changed; null without one. */
  readonly shadow: ShadowReport | null;
  readonly drift: DriftView;
}

export type ModelCommand = Extract<Command, { kind: 'model.activate' | 'model.shadow' }>;

const timer = 'drift';
const checkEveryMs = 3_600_000;
/** An alert about drift holds so long without being repeated. */
const holdsMs = 3 * checkEveryMs;

/** Which model scores, which one would score otherwise, and whether the one in force still fits. */
export class ModelWatch {
  readonly #context: StageContext;
  readonly #models: ModelsInForce;
  readonly #shadow: Shadow;
  readonly #drift: Drift;
  #config: ScoreConfig;
  #alertDomain = 'default';

  constructor(context: StageContext, config: ScoreConfig) {
    this.#context = context;
    this.#config = config;
    this.#models = new ModelsInForce(context);
    this.#shadow = new Shadow(context);
    this.#drift = new Drift(context.table('drift'));
  }

  get active(): ScoreModel | null {
    return this.#models.active;
  }

  /** Reads the section's model and name, and the domain of Tocsin's own alerts. */
  configure({ payload }: ConfigEntry, config: ScoreConfig): void {
    this.#config = config;
    this.#models.configure(config.model, (payload['model'] as ScoreModel | null | undefined) ?? null);
    const source = payload['source'] as { readonly default_domain?: string } | undefined;
    this.#alertDomain = source?.default_domain ?? 'default';
    this.#adopt();
  }

  /** Carries a command out. A model that is not what it says is refused, and nothing changes. */
  choose({ kind, by, body }: ModelCommand, timeMs: number): CommandAnswer {
    const place = kind === 'model.activate' ? 'active' : 'candidate';
    const outcome = this.#models.choose(place, body.model, { by, timeMs });
    if (!outcome.ok)
      return { status: 'refused', code: 'invalid', message: `the model is refused: ${outcome.why}` };
    if (place === 'candidate') {
      if (this.#models.candidate) this.#shadow.begin(timeMs);
      else this.#shadow.end();
    } else if (this.#models.candidate && outcome.model?.hash === this.#models.candidate.hash) {
      this.#models.choose('candidate', null, { by, timeMs });
      this.#shadow.end();
    }
    this.#adopt();
    return {
      status: 'done',
      result: { model: outcome.model && { name: outcome.model.name, hash: outcome.model.hash } },
    };
  }

  /** Compares a row that is about to be scored. Costs nothing while no candidate is there. */
  compare(row: Float64Array, kind: KindState, timeMs: number): void {
    if (this.#models.candidate) this.#shadow.compare(row, kind, timeMs);
  }

  /** Learns a scored period that is over. To be called before the domain has learned it. */
  learn(row: Float64Array, scored: Float64Array, kind: KindState, domain: DomainHistory): void {
    const { active, candidate } = this.#models;
    if (candidate) this.#shadow.learn(row, kind.domain, domain, kind.rank);
    if (!active?.bins) return;
    this.#drift.learn(active, row, scored);
    const { timers } = this.#context;
    if (timers.dueMs(timer) === undefined) timers.set(timer, kind.lastMs + checkEveryMs);
  }

  /** What timers fall due for it. */
  isTimer(key: string): boolean {
    return key === timer;
  }

  /** Raises, repeats or ends Tocsin's alert about drift. */
  onTimer(frame: TocsinFrame): void {
    const { state, reasons } = this.#drift.view(this.#models.active, this.#config);
    const sinceMs = this.#drift.alertingSinceMs;
    if (state === 'drifting') {
      this.#drift.alertingSinceMs = sinceMs ?? frame.timeMs;
      this.#alert(frame, sinceMs ?? frame.timeMs, frame.timeMs + holdsMs, reasons);
    } else if (sinceMs !== null) {
      this.#drift.alertingSinceMs = null;
      this.#alert(frame, sinceMs, frame.timeMs, []);
    }
    if (this.#models.active?.bins) this.#context.timers.set(timer, frame.timeMs + checkEveryMs);
  }

  view(): ModelsView {
    return {
      active: this.#models.view('active'),
      candidate: this.#models.view('candidate'),
      shadow: this.#shadow.report(),
      drift: this.#drift.view(this.#models.active, this.#config),
    };
  }

  #adopt(): void {
    this.#shadow.configure(this.#models.active, this.#models.candidate);
    this.#drift.keepOnly(this.#models.active);
  }

  #alert(frame: TocsinFrame, sinceMs: number, endsAtMs: number, reasons: readonly string[]): void {
    const { scope } = this.#context;
    const model = this.#models.active?.name ?? '';
    const effect: OwnAlertEffect = {
      id: `own-alert/${scope}drift/${frame.timeMs}`,
      kind: 'own-alert',
      payload: {
        domain: this.#alertDomain,
        labels: labelsOf({
          alertname: 'TocsinModelDrift',
          severity: 'warning',
          service: 'tocsin',
          model,
          ...(scope === '' ? {} : { partition: scope.replace(/-$/, '') }),
        }),
        annotations: labelsOf({
          summary: `The model ${model}, by which surprise is judged, no longer fits the alerts that come.`,
          ...(reasons.length > 0 ? { description: `${reasons.join('; ')}.` } : {}),
        }),
        startsAtMs: sinceMs,
        endsAtMs,
        endsByTimeout: false,
        generatorUrl: '',
        source: 'tocsin',
      },
    };
    frame.effects.push(effect);
  }
}
