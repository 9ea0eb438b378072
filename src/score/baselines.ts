import type { StageContext, Table } from '../engine/index.ts';
import { hourOf } from './calendar.ts';
import type { ScoreConfig } from './config.ts';
import {
  createDomain,
  isWellKnown,
  learnScored,
  learnTail,
  noveltyTail,
  writeTail,
  type DomainHistory,
} from './domain.ts';
import { scoreMatrix } from './kernel.ts';
import type { KindName } from './kind.ts';
import { column, result, rowState } from './matrix.ts';
import type { ScoreModel } from './model.ts';
import { RowBatch } from './row-batch.ts';
import {
  countHours,
  createHistory,
  createHourSamples,
  completeHistory,
  learnDuration,
  learnPeriod,
  writeDurations,
  writeGaps,
  writeSamples,
  type HourSamples,
  type KindHistory,
} from './usual.ts';

const dayMs = 86_400_000;
/** How long a new kind in a well-known domain counts as news. */
const freshMs = 3_600_000;

/** What changes with every alert of a kind. Its histories change once a period and are kept apart, so that a checkpoint stays small. */
export interface KindState extends KindName {
  readonly firstMs: number;
  lastMs: number;
  /** Number of the open period since the epoch; -1 before the first. */
  period: number;
  /** Alerts, new firings and resolves in the open period. */
  count: number;
  fired: number;
  resolved: number;
  /** log2 of the seconds without alerts before the open period's first; -1 for none. */
  gap: number;
  /** The count from which the open period goes beyond all comparable ones and is scored again. */
  scoreAt: number;
  /** Rank among the kinds scored in the open period; 0 while it is not scored. */
  rank: number;
  /** See `noveltyTail`; as it was when the open period was scored first. */
  novelty: number;
  /** Past periods with alerts. */
  seen: number;
  /** It was new in a domain that was well known. */
  readonly isNews: boolean;
  /** How many of its signals fire, and since when one does without a pause; absent in rows of an older version. */
  firing?: number;
  firingSinceMs?: number;
}

/** Told of a scored period that is over: its row and result, valid during the call. */
export type OnScored = (
  row: Float64Array,
  scored: Float64Array,
  kind: KindState,
  domain: DomainHistory,
) => void;

/** The learned past of all kinds: what is counted as alerts come, learned as periods end, and laid out as rows to score. */
export class Baselines {
  readonly kinds: Table<KindState>;
  readonly #histories: Table<KindHistory>;
  readonly #hours: Table<HourSamples>;
  readonly #domains: Table<DomainHistory>;
  #config: ScoreConfig;
  #closing = new RowBatch(null);
  readonly #onScored: OnScored;

  /** `onScored` is told of each scored period that is over, before its domain has learned it. */
  constructor(
    context: Pick<StageContext, 'table'>,
    config: ScoreConfig,
    onScored: OnScored = () => undefined,
  ) {
    this.#onScored = onScored;
    this.kinds = context.table('kinds');
    this.#histories = context.table('histories');
    this.#hours = context.table('hours');
    this.#domains = context.table('domains');
    this.#config = config;
  }

  configure(config: ScoreConfig, model: ScoreModel | null): void {
    this.#config = config;
    this.#closing = new RowBatch(model);
  }

  /** Another model measures other distances: what was seen of the old one's says nothing of them. */
  forgetDistances(): void {
    for (const [name, { distances }] of this.#domains.entries()) {
      distances.fill(0);
      this.#domains.touch(name);
    }
  }

  periodOf(timeMs: number): number {
    return Math.floor(timeMs / this.#config.bucket);
  }

  /** The state of the kind, made when it is seen for the first time. */
  recognize(name: KindName, timeMs: number): KindState {
    const known = this.kinds.get(name.id);
    if (known) return known;
    const domain = this.#domain(name.domain, timeMs);
    const kind: KindState = {
      ...name,
      firstMs: timeMs,
      lastMs: timeMs,
      period: -1,
      count: 0,
      fired: 0,
      resolved: 0,
      gap: -1,
      scoreAt: Number.MAX_SAFE_INTEGER,
      rank: 0,
      novelty: 1,
      seen: 0,
      isNews: isWellKnown(domain, timeMs, this.#config),
    };
    this.kinds.set(name.id, kind);
    this.#histories.set(name.id, createHistory());
    return kind;
  }

  /** Learns the period that is over and opens the one of `timeMs`. For the first alert of a period, before it is counted. */
  openPeriod(kind: KindState, timeMs: number): void {
    if (kind.count > 0) this.#closePeriod(kind);
    kind.gap = kind.count > 0 ? Math.log2(Math.max(1, (timeMs - kind.lastMs) / 1000)) : -1;
    kind.period = this.periodOf(timeMs);
    kind.count = 0;
    kind.fired = 0;
    kind.resolved = 0;
    kind.rank = 0;
    kind.scoreAt = kind.seen < this.#config.min_samples ? Number.MAX_SAFE_INTEGER : this.#mostUsual(kind) + 1;
  }

  /** Notes that one of the kind's signals begins to fire. */
  begin(kind: KindState, timeMs: number): void {
    const firing = kind.firing ?? 0;
    if (firing === 0) kind.firingSinceMs = timeMs;
    kind.firing = firing + 1;
    this.kinds.touch(kind.id);
  }

  /** Notes that one of them is over. For how long the kind fired is learned with the last. */
  end(kind: KindState, timeMs: number): void {
    kind.firing = Math.max(0, (kind.firing ?? 0) - 1);
    this.kinds.touch(kind.id);
    if (kind.firing > 0 || kind.firingSinceMs === undefined) return;
    learnDuration(this.#historyOf(kind), Math.log2(Math.max(1, (timeMs - kind.firingSinceMs) / 1000)));
    this.#histories.touch(kind.id);
  }

  /** When what is usual for the kind changed for good last; null while it has not. */
  changedAtMs(kind: KindState): number | null {
    return this.#historyOf(kind).changedAtMs;
  }

  /** Notes that the open period is scored now. */
  markScored(kind: KindState, timeMs: number): void {
    const domain = this.#domain(kind.domain, timeMs);
    if (kind.rank === 0) {
      kind.novelty =
        this.#isFresh(kind, timeMs) && kind.seen > 0 ? kind.novelty : noveltyTail(domain, kind.seen);
      kind.rank = learnScored(domain, kind.period, kind.seen);
      domain.lastMs = timeMs;
      this.#domains.touch(kind.domain);
    }
    if (kind.count >= kind.scoreAt) kind.scoreAt = Math.ceil(kind.count * 1.5) + 1;
    this.kinds.touch(kind.id);
  }

  /** Fills `row` with what the kind does at `timeMs` and what is usual for it. */
  writeRow(row: Float64Array, kind: KindState, timeMs: number): void {
    const config = this.#config;
    const history = this.#historyOf(kind);
    const domain = this.#domain(kind.domain, timeMs);
    row[column.state] = this.#isFresh(kind, timeMs)
      ? rowState.fresh
      : kind.seen < config.min_samples
        ? rowState.learning
        : rowState.known;
    row[column.count] = kind.count;
    row[column.gap] = kind.gap;
    row[column.novelty] = kind.novelty;
    row[column.fired] = kind.fired;
    row[column.resolved] = kind.resolved;
    row[column.activeHours] = countHours(history);
    row[column.seen] = kind.seen;
    row[column.domainDays] = (timeMs - domain.firstMs) / dayMs;
    const firingMs = kind.firing ? timeMs - (kind.firingSinceMs ?? timeMs) : 0;
    row[column.age] = firingMs > 0 ? Math.log2(Math.max(1, firingMs / 1000)) : -1;
    writeDurations(row, history);
    writeGaps(row, history);
    writeTail(row, domain);
    const hour = hourOf(kind.period * config.bucket);
    writeSamples(row, history, this.#hours.get(hourKey(kind.id, hour)), hour, config.min_samples);
  }

  /** Forgets kinds unseen since `sinceMs`, then those unseen for longest until `limit` are left. Returns the ids of the forgotten. */
  forget(sinceMs: number, limit: number): Set<string> {
    const oldestFirst = [...this.kinds.values()].sort(
      (a, b) => a.lastMs - b.lastMs || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0),
    );
    const surplus = oldestFirst.length - limit;
    const gone = oldestFirst.filter((kind, index) => kind.lastMs < sinceMs || index < surplus);
    for (const { id } of gone) {
      this.kinds.delete(id);
      this.#histories.delete(id);
      this.#forgetHours(id);
    }
    for (const [name, { lastMs }] of this.#domains.entries()) {
      if (lastMs < sinceMs) this.#domains.delete(name);
    }
    return new Set(gone.map(({ id }) => id));
  }

  /** Forgets everything. */
  clear(): void {
    this.forget(Number.POSITIVE_INFINITY, 0);
  }

  #closePeriod(kind: KindState): void {
    const startMs = kind.period * this.#config.bucket;
    const domain = this.#domain(kind.domain, startMs);
    if (kind.rank > 0) {
      this.#closing.clear();
      this.writeRow(this.#closing.add(), kind, kind.lastMs);
      const scored = scoreMatrix(this.#closing.matrix, 1);
      this.#onScored(this.#closing.row(0), scored, kind, domain);
      const raw = scored[result.rawTail]!;
      if (!Number.isNaN(raw)) learnTail(domain, raw, scored[result.distance]!, kind.rank);
    }
    domain.periods++;
    domain.lastMs = Math.max(domain.lastMs, kind.lastMs);
    this.#domains.touch(kind.domain);
    const key = hourKey(kind.id, hourOf(startMs));
    const samples = this.#hours.get(key) ?? createHourSamples();
    const history = this.#historyOf(kind);
    const period = { startMs, count: kind.count, gap: kind.gap };
    const hasChanged = learnPeriod(history, samples, period, this.#config.min_samples);
    this.#hours.set(key, samples);
    if (hasChanged) this.#forgetHours(kind.id);
    this.#histories.touch(kind.id);
    kind.seen++;
  }

  /** The highest count that is comparable with the open period. */
  #mostUsual(kind: KindState): number {
    this.#closing.clear();
    const row = this.#closing.add();
    const hour = hourOf(kind.period * this.#config.bucket);
    const samples = this.#hours.get(hourKey(kind.id, hour));
    writeSamples(row, this.#historyOf(kind), samples, hour, this.#config.min_samples);
    let most = 0;
    for (let i = 0; i < row[column.sampleCount]!; i++) most = Math.max(most, row[column.samples + i]!);
    return most;
  }

  #historyOf({ id }: KindState): KindHistory {
    const history = this.#histories.get(id)!;
    if (history.errors !== undefined) return history;
    // Of a checkpoint that an older version wrote.
    const complete = completeHistory(history);
    this.#histories.set(id, complete);
    return complete;
  }

  #forgetHours(kindId: string): void {
    for (let hour = 0; hour < 24; hour++) this.#hours.delete(hourKey(kindId, hour));
  }

  #isFresh(kind: KindState, timeMs: number): boolean {
    return kind.isNews && timeMs - kind.firstMs < freshMs;
  }

  #domain(name: string, timeMs: number): DomainHistory {
    let domain = this.#domains.get(name);
    if (!domain) {
      domain = createDomain(timeMs);
      this.#domains.set(name, domain);
    }
    return domain;
  }
}

/** Row of the table `hours`: the kind in one hour of the day. */
function hourKey(kindId: string, hour: number): string {
  return `${kindId}/${hour % 24}`;
}
