import type { StageContext, Table } from '../engine/index.ts';
import {
  commandOf,
  type AlertChange,
  type ConfigEntry,
  type LogEntry,
  type SignalChange,
  type SignalScore,
  type Sighting,
  type TocsinFrame,
  type TocsinStage,
} from '../incident/index.ts';
import { Baselines, type KindState } from './baselines.ts';
import { describeBaseline, type BaselineView } from './baseline-view.ts';
import { scoreConfig, type ScoreConfig } from './config.ts';
import { nameKind } from './kind.ts';
import { result, resultWidth } from './matrix.ts';
import { ModelWatch, type ModelsView } from './model-watch.ts';
import { explainScore, type ReasonOptions } from './reasons.ts';
import { RowBatch } from './row-batch.ts';
import type { MatrixScorer } from './scorer.ts';

const forgetEveryMs = 6 * 3_600_000;
const forgetTimer = 'forget';

/** The stage `score`, and what it knows for the read model. */
export interface ScoreStage extends TocsinStage {
  /** What is usual for the kind of a firing signal, or for a kind by its id; undefined when it is not known. */
  baseline(signalOrKindId: string): BaselineView | undefined;
  /** How many kinds have a baseline. */
  readonly kindCount: number;
  /** SHA-256 of the model in force; null when none is. */
  readonly modelHash: string | null;
  /** The models in force and beside it, and how they fare. */
  models(): ModelsView;
}

/** The scores that a frame will get once the batch is scored. */
interface PendingScores {
  readonly frame: TocsinFrame;
  readonly batch: RowBatch;
  readonly options: ReasonOptions;
  readonly signalIds: readonly string[];
  /** The row of each signal; those of one kind share one. */
  readonly rows: readonly number[];
}

/**
 * Makes the stage that says how surprising the alert stream itself is. A signal is scored when it opens, reopens, grows
 * or escalates, and when repeats carry its kind beyond every comparable period; all rows of a batch go to `scorer` at once.
 * Reads the section `score` of the configuration and the model from its key `model` (a `ScoreModel`; without one, or
 * with one of other features, behaviour is not judged).
 */
export function createScoreStage(scorer: MatrixScorer): (context: StageContext) => ScoreStage {
  return (context) => new Scoring(context, scorer);
}

class Scoring implements ScoreStage {
  readonly name = 'score';
  readonly #context: StageContext;
  readonly #scorer: MatrixScorer;
  readonly #baselines: Baselines;
  readonly #watch: ModelWatch;
  /** Kind id by signal, for signals that are not resolved. */
  readonly #signals: Table<string>;
  readonly #kindOfSignal = new Map<string, KindState>();
  #config: ScoreConfig = scoreConfig.parse({});
  #options: ReasonOptions = { bucketMs: this.#config.bucket, minSamples: this.#config.min_samples };
  #batch = new RowBatch(null);
  #pending: PendingScores[] = [];

  constructor(context: StageContext, scorer: MatrixScorer) {
    this.#context = context;
    this.#scorer = scorer;
    this.#watch = new ModelWatch(context, this.#config);
    this.#baselines = new Baselines(context, this.#config, (row, scored, kind, domain) =>
      this.#watch.learn(row, scored, kind, domain),
    );
    this.#signals = context.table('signals');
  }

  get kindCount(): number {
    return this.#baselines.kinds.size;
  }

  get modelHash(): string | null {
    return this.#watch.active?.hash ?? null;
  }

  models(): ModelsView {
    return this.#watch.view();
  }

  restore(config: LogEntry | null): void {
    if (config?.kind === 'config') this.#configure(config);
    for (const [signalId, kindId] of this.#signals.entries()) {
      const kind = this.#baselines.kinds.get(kindId);
      if (kind) this.#kindOfSignal.set(signalId, kind);
    }
  }

  onFrame(frame: TocsinFrame): void {
    if (frame.entry?.kind === 'config') this.#reconfigure(frame.entry);
    else if (frame.entry?.kind === 'command') this.#chooseModel(frame);
    const { signalChanges, sightings, alertChanges } = frame.flow;
    if (signalChanges.length === 0 && sightings.length === 0) return;
    for (const change of signalChanges) this.#recognize(change, frame.timeMs);
    const burst = this.#count(alertChanges, sightings, frame.timeMs);
    if (signalChanges.length > 0 || burst.length > 0) {
      this.#request(frame, signalChanges, burst);
      this.#release(signalChanges, frame.timeMs);
    }
  }

  onTimer(key: string, frame: TocsinFrame): void {
    if (this.#watch.isTimer(key)) {
      this.#watch.onTimer(frame);
      return;
    }
    const { forget_after: forgetAfterMs, max_kinds: maxKinds } = this.#config;
    const isFull = this.#baselines.kinds.size > maxKinds;
    // A tenth is freed at once, so that a flood of new kinds does not sort them all for each.
    const gone = this.#baselines.forget(
      frame.timeMs - forgetAfterMs,
      isFull ? Math.floor(maxKinds * 0.9) : maxKinds,
    );
    if (gone.size > 0) {
      for (const [signalId, kindId] of this.#signals.entries()) {
        if (gone.has(kindId)) this.#forgetSignal(signalId);
      }
    }
    if (this.#baselines.kinds.size > 0) this.#context.timers.set(forgetTimer, frame.timeMs + forgetEveryMs);
  }

  async settle(): Promise<void> {
    if (this.#pending.length === 0) return;
    const pending = this.#pending;
    this.#pending = [];
    const batches = [...new Set(pending.map(({ batch }) => batch))];
    const results = new Map<RowBatch, Float64Array>();
    for (const batch of batches) results.set(batch, await this.#scorer.score(batch.matrix, batch.rows));
    for (const scores of pending) {
      scores.frame.flow.scores = scores.signalIds.map((signalId, index) =>
        toScore(signalId, scores, scores.rows[index]!, results.get(scores.batch)!),
      );
    }
    for (const batch of batches) batch.clear();
  }

  baseline(signalOrKindId: string): BaselineView | undefined {
    const kind = this.#kindOfSignal.get(signalOrKindId) ?? this.#baselines.kinds.get(signalOrKindId);
    return kind && describeBaseline(this.#baselines, kind, this.#config);
  }

  #configure(entry: ConfigEntry): void {
    this.#config = (entry.payload['score'] as ScoreConfig | undefined) ?? scoreConfig.parse({});
    this.#watch.configure(entry, this.#config);
    this.#options = { bucketMs: this.#config.bucket, minSamples: this.#config.min_samples };
    this.#useModel();
  }

  #useModel(): void {
    const model = this.#watch.active;
    this.#baselines.configure(this.#config, model);
    // Rows already waiting keep the batch, and with it the model, that was in force at their time.
    this.#batch = new RowBatch(model);
  }

  #chooseModel(frame: TocsinFrame): void {
    const command = commandOf(frame);
    if (command?.kind !== 'model.activate' && command?.kind !== 'model.shadow') return;
    const before = this.modelHash;
    frame.flow.answer = this.#watch.choose(command, frame.timeMs);
    if (this.modelHash === before) return;
    this.#baselines.forgetDistances();
    this.#useModel();
  }

  #reconfigure(entry: ConfigEntry): void {
    const oldBucketMs = this.#config.bucket;
    const oldHash = this.modelHash;
    this.#configure(entry);
    if (this.modelHash !== oldHash) this.#baselines.forgetDistances();
    if (this.#config.bucket !== oldBucketMs) {
      this.#baselines.clear();
      for (const signalId of this.#signals.keys()) this.#forgetSignal(signalId);
    }
  }

  /** Makes sure that the kind of a changed signal is known. */
  #recognize({ signal }: SignalChange, timeMs: number): void {
    if (this.#kindOfSignal.has(signal.id) || signal.state === 'resolved') return;
    const kind = this.#baselines.recognize(nameKind(signal, this.#config), timeMs);
    this.#kindOfSignal.set(signal.id, kind);
    this.#signals.set(signal.id, kind.id);
    this.#baselines.begin(kind, timeMs);
    const { timers } = this.#context;
    if (this.#baselines.kinds.size > this.#config.max_kinds) timers.set(forgetTimer, timeMs);
    else if (timers.dueMs(forgetTimer) === undefined) timers.set(forgetTimer, timeMs + forgetEveryMs);
  }

  /** Counts the frame's reports. Returns the signals whose report carried their kind beyond what is comparable. */
  #count(changes: readonly AlertChange[], sightings: readonly Sighting[], timeMs: number): string[] {
    const baselines = this.#baselines;
    const period = baselines.periodOf(timeMs);
    const burst: string[] = [];
    for (let i = 0; i < sightings.length; i++) {
      const { signalId } = sightings[i]!;
      if (signalId === null) continue;
      const kind = this.#kindOfSignal.get(signalId);
      if (!kind) continue;
      const { change } = changes[i]!;
      if (change === 'resolved' || change === 'expired') {
        if (kind.period === period && change === 'resolved') {
          kind.resolved++;
          baselines.kinds.touch(kind.id);
        }
        continue;
      }
      if (kind.period !== period) baselines.openPeriod(kind, timeMs);
      kind.count++;
      kind.lastMs = timeMs;
      if (change === 'fired') kind.fired++;
      baselines.kinds.touch(kind.id);
      if (kind.count >= kind.scoreAt) burst.push(signalId);
    }
    return burst;
  }

  /** Lays out the rows that the frame's signals need, one per kind, as things stand at the end of the frame. */
  #request(frame: TocsinFrame, changes: readonly SignalChange[], burst: readonly string[]): void {
    const wanted = new Set(burst);
    for (const { change, signal } of changes) if (needsScore(change)) wanted.add(signal.id);
    if (wanted.size === 0) return;
    const rowOfKind = new Map<KindState, number>();
    const signalIds: string[] = [];
    const rows: number[] = [];
    for (const signalId of wanted) {
      const kind = this.#kindOfSignal.get(signalId);
      if (!kind) continue;
      let row = rowOfKind.get(kind);
      if (row === undefined) {
        row = this.#addRow(kind, frame.timeMs);
        rowOfKind.set(kind, row);
      }
      signalIds.push(signalId);
      rows.push(row);
    }
    if (rows.length === 0) return;
    this.#pending.push({ frame, batch: this.#batch, options: this.#options, signalIds, rows });
  }

  #addRow(kind: KindState, timeMs: number): number {
    const baselines = this.#baselines;
    if (kind.period !== baselines.periodOf(timeMs)) {
      // A change with no report of its own in this period stands for one.
      baselines.openPeriod(kind, timeMs);
      kind.count = 1;
      kind.lastMs = timeMs;
    }
    baselines.markScored(kind, timeMs);
    const row = this.#batch.add();
    baselines.writeRow(row, kind, timeMs);
    this.#watch.compare(row, kind, timeMs);
    return this.#batch.rows - 1;
  }

  /** Lets go of signals that the frame left resolved. */
  #release(changes: readonly SignalChange[], timeMs: number): void {
    for (const change of changes) {
      if (change.change === 'resolved') {
        const kind = this.#kindOfSignal.get(change.signal.id);
        if (kind) this.#baselines.end(kind, timeMs);
        this.#forgetSignal(change.signal.id);
      } else this.#recognize(change, timeMs);
    }
  }

  #forgetSignal(signalId: string): void {
    this.#kindOfSignal.delete(signalId);
    this.#signals.delete(signalId);
  }
}

function needsScore(change: SignalChange['change']): boolean {
  return change === 'opened' || change === 'reopened' || change === 'grown' || change === 'escalated';
}

function toScore(
  signalId: string,
  { batch, options }: PendingScores,
  row: number,
  results: Float64Array,
): SignalScore {
  const scored = results.subarray(row * resultWidth, (row + 1) * resultWidth);
  const surprise = scored[result.surprise]!;
  return {
    signalId,
    surprise: Number.isNaN(surprise) ? null : Math.round(surprise * 1e6) / 1e6,
    state: Number.isNaN(surprise) ? 'learning' : 'scored',
    reasons: explainScore(batch.row(row), scored, options),
  };
}
