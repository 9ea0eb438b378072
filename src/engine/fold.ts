import type { Checkpoint, CheckpointDelta } from './checkpoint.ts';
import type { Claim, Effect, Fact, HistoryRow } from './effect.ts';
import type { Entry, LogSlice, Ownership } from './entry.ts';
import type { Frame } from './frame.ts';
import { Sharing } from './sharing.ts';
import type { Stage, StageFactory } from './stage.ts';
import { Table, type TableChange } from './table.ts';
import { Timers } from './timers.ts';

export interface FoldOptions<E extends Entry, Flow> {
  /** In the order in which a frame meets them. Each is named; the name owns its tables. */
  readonly stages: readonly (readonly [name: string, create: StageFactory<E, Flow>])[];
  /** Told to the stages; empty unless said otherwise. */
  readonly scope?: string;
  /** Makes the empty flow of a new frame. */
  readonly createFlow: () => Flow;
  /** Fields of rows whose lists are never changed in place: a restored fold holds what is equal of them once, as one that never stopped. */
  readonly constantLists?: ReadonlySet<string>;
}

/** What one slice of the log brought about, in log order. */
export interface FoldOutput<E extends Entry, Flow> {
  readonly frames: readonly Frame<E, Flow>[];
  readonly effects: readonly Effect[];
  readonly rows: readonly HistoryRow[];
}

interface RunningStage<E extends Entry, Flow> {
  readonly stage: Stage<E, Flow>;
  readonly timers: Timers;
}

/**
 * The deterministic fold over one partition's log: `state(n) = step(state(n-1), entry(n))`.
 *
 * INVARIANT: batch cuts do not matter. However the log is cut into slices, state, effects and rows are the same.
 * INVARIANT: crash anywhere and replay gives the same state and the same effects.
 * INVARIANT: log time never goes back.
 * INVARIANT: timers fire in log-time order, before the first entry whose time is theirs or later.
 * INVARIANT: no stage reads a later stage's state; leaving the last stages away changes nothing before them.
 *
 * Throws where it is used against its contract: `apply` before the last one has ended or after one has failed,
 * a checkpoint in the middle of an `apply`.
 */
export class Fold<E extends Entry, Flow> {
  readonly #stages: RunningStage<E, Flow>[] = [];
  readonly #tables = new Map<string, Table<unknown>>();
  readonly #pending: Table<Effect>;
  /** Those of the pending effects that somebody began to carry out. */
  readonly #claimed: Table<true>;
  readonly #config: Table<E>;
  readonly #ownership: Table<Ownership & { readonly position: number }>;
  readonly #createFlow: () => Flow;
  readonly #constantLists: ReadonlySet<string>;
  #position = 0;
  #timeMs = 0;
  #state: 'ready' | 'applying' | 'failed' = 'ready';
  /** Rows that the checkpoint holds for tables that no stage has any more. */
  #orphans: TableChange[] = [];

  constructor(options: FoldOptions<E, Flow>) {
    this.#createFlow = options.createFlow;
    this.#constantLists = options.constantLists ?? new Set();
    this.#pending = this.#table<Effect>('engine/pending');
    this.#claimed = this.#table<true>('engine/claimed');
    this.#config = this.#table<E>('engine/config');
    this.#ownership = this.#table('engine/ownership');
    for (const [name, create] of options.stages) {
      const timers = new Timers(this.#table<number>(`${name}/timers`));
      const stage = create({
        table: <Value>(table: string) => this.#table<Value>(`${name}/${table}`),
        timers,
        scope: options.scope ?? '',
      });
      this.#stages.push({ stage, timers });
    }
  }

  /** The position of the last entry folded in; 0 before the first. */
  get position(): number {
    return this.#position;
  }

  /** Log time: the latest of all entries folded in. */
  get timeMs(): number {
    return this.#timeMs;
  }

  /** The config entry in force, or null before the first. */
  get config(): E | null {
    return this.#config.get('current') ?? null;
  }

  /** Who took the log over last, and where its entry stands; null where it is written by one process alone. */
  get ownership(): (Ownership & { readonly position: number }) | null {
    return this.#ownership.get('current') ?? null;
  }

  /** Effects emitted and not yet answered by a fact, in the order of their emission. */
  pendingEffects(): Effect[] {
    return [...this.#pending.values()];
  }

  /** Whether somebody began to carry the pending effect out. */
  isClaimed(effectId: string): boolean {
    return this.#claimed.has(effectId);
  }

  /** When the earliest timer of any stage falls due; undefined when none is set. */
  nextDueMs(): number | undefined {
    let earliest: number | undefined;
    for (const { timers } of this.#stages) {
      const dueMs = timers.nextDueMs();
      if (dueMs !== undefined && (earliest === undefined || dueMs < earliest)) earliest = dueMs;
    }
    return earliest;
  }

  /**
   * Folds the next slice in. The slice must begin right after `position`. Calls must not overlap.
   * Rejects when a stage throws: a defect, after which this fold must not be used again.
   */
  async apply(slice: LogSlice<E>): Promise<FoldOutput<E, Flow>> {
    if (slice.firstPosition !== this.#position + 1) {
      throw new RangeError(
        `fold is at position ${this.#position}, next must be ${this.#position + 1}, got ${slice.firstPosition}`,
      );
    }
    this.#assertReady('apply');
    this.#state = 'applying';
    try {
      const output = await this.#run(slice);
      this.#state = 'ready';
      return output;
    } catch (error) {
      this.#state = 'failed';
      throw error;
    }
  }

  /** Rows of all tables that are new since the last checkpoint. */
  get newCount(): number {
    let count = 0;
    for (const table of this.#tables.values()) count += table.newCount;
    return count;
  }

  /** What changed since the last checkpoint. Values are shared with the fold: encode them before the next `apply`. */
  takeCheckpoint(): CheckpointDelta {
    this.#assertReady('take a checkpoint');
    const changes = [...this.#tables.values()].flatMap((table) => table.takeChanges());
    const orphans = this.#orphans;
    this.#orphans = [];
    return {
      position: this.#position,
      timeMs: this.#timeMs,
      changes: orphans.length === 0 ? changes : [...orphans, ...changes],
    };
  }

  /**
   * The whole state in parts of up to `maxCount` rows, while the fold goes on: together with the checkpoint that is taken next after the
   * last part they are the state at that checkpoint's position. Values are shared with the fold: encode each part before anything else.
   */
  *walk(maxCount: number): Generator<TableChange[]> {
    for (const table of this.#tables.values()) yield* table.walk(maxCount);
  }

  /** The whole state, each table's rows in the order in which its stage walks them. Values are shared with the fold. */
  snapshot(): Checkpoint {
    this.#assertReady('take a snapshot');
    const rows = [...this.#tables.values()].flatMap((table) => table.rows());
    return { position: this.#position, timeMs: this.#timeMs, rows };
  }

  /**
   * Fills a new fold from a checkpoint, whose values it makes its own. Rows of tables that no stage has any more are left out, and leave the store with the next
   * checkpoint: a stage that is put back later must not find what it knew long ago.
   */
  restore(checkpoint: Checkpoint | null): void {
    if (checkpoint) {
      const sharing = new Sharing(this.#constantLists);
      for (const [name, rows] of Map.groupBy(checkpoint.rows, (row) => row.table)) {
        const table = this.#tables.get(name);
        if (table) table.load(rows, (value) => sharing.share(value));
        else for (const { key } of rows) this.#orphans.push({ table: name, key, order: null });
      }
      this.#position = checkpoint.position;
      this.#timeMs = checkpoint.timeMs;
    }
    for (const { stage, timers } of this.#stages) {
      timers.restore();
      stage.restore?.(this.config);
    }
  }

  async #run(slice: LogSlice<E>): Promise<FoldOutput<E, Flow>> {
    let lastMs = this.#timeMs;
    let frames = slice.entries.map((entry, index) => {
      lastMs = Math.max(lastMs, entry.timeMs);
      return this.#openFrame(slice.firstPosition + index, lastMs, entry);
    });
    for (const running of this.#stages) {
      frames = passThrough(running, frames, this.#timeMs, this.#createFlow);
      if (running.stage.settle) await running.stage.settle(frames);
    }
    const output: FoldOutput<E, Flow> = {
      frames,
      effects: frames.flatMap((frame) => frame.effects),
      rows: frames.flatMap((frame) => frame.rows),
    };
    for (const frame of frames) {
      if (frame.entry) this.#noteProgress(frame.entry);
      for (const effect of frame.effects) this.#pending.set(effect.id, effect);
    }
    this.#position += slice.entries.length;
    this.#timeMs = lastMs;
    return output;
  }

  #noteProgress({ kind, payload }: E): void {
    if (kind === 'claim') {
      const { effectId } = payload as Claim;
      if (this.#pending.has(effectId)) this.#claimed.set(effectId, true);
    }
    if (kind !== 'fact') return;
    const { effectId } = payload as Fact;
    this.#pending.delete(effectId);
    this.#claimed.delete(effectId);
  }

  #assertReady(act: string): void {
    if (this.#state !== 'ready') throw new Error(`cannot ${act}: the fold is ${this.#state}`);
  }

  #openFrame(position: number, timeMs: number, entry: E): Frame<E, Flow> {
    if (entry.kind === 'config') this.#config.set('current', entry);
    if (entry.kind === 'owner') this.#ownership.set('current', { ...(entry.payload as Ownership), position });
    return { position, timeMs, entry, flow: this.#createFlow(), effects: [], rows: [] };
  }

  #table<Value>(name: string): Table<Value> {
    if (this.#tables.has(name)) throw new Error(`table ${name} exists twice`);
    const table = new Table<Value>(name);
    this.#tables.set(name, table);
    return table;
  }
}

/** Timers that one stage may fire without time going on: more are a stage that sets its timer to now again and again. */
const maxTimersAtOnce = 2_000_000;

/** Runs one stage over all frames, putting a frame for each of its timers where log time passes it. */
function passThrough<E extends Entry, Flow>(
  { stage, timers }: RunningStage<E, Flow>,
  frames: readonly Frame<E, Flow>[],
  startMs: number,
  createFlow: () => Flow,
): Frame<E, Flow>[] {
  const passed: Frame<E, Flow>[] = [];
  let lastMs = startMs;
  let firedAtOnce = 0;
  for (const frame of frames) {
    for (let due = timers.takeDue(frame.timeMs); due; due = timers.takeDue(frame.timeMs)) {
      firedAtOnce = due.dueMs > lastMs ? 1 : firedAtOnce + 1;
      if (firedAtOnce > maxTimersAtOnce) {
        throw new Error(`stage ${stage.name}: timer ${due.key} fires without end`);
      }
      lastMs = Math.max(due.dueMs, lastMs);
      const timed = {
        position: frame.position,
        timeMs: lastMs,
        entry: null,
        flow: createFlow(),
        effects: [],
        rows: [],
      };
      stage.onTimer?.(due.key, timed);
      passed.push(timed);
    }
    stage.onFrame(frame);
    lastMs = frame.timeMs;
    firedAtOnce = 0;
    passed.push(frame);
  }
  return passed;
}
