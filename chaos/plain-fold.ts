import type { NatsConnection } from '@nats-io/transport-node';
import { labelValue } from '../src/alert/index.ts';
import { entryCodec } from '../src/app/entry-codec.ts';
import { createPipeline } from '../src/app/pipeline.ts';
import { encode, type Checkpoint, type Effect, type Fact, type HistoryRow } from '../src/engine/index.ts';
import type { LogEntry } from '../src/incident/index.ts';
import { openJetStreamLog } from '../src/log/index.ts';
import { createInlineScorer } from '../src/score/index.ts';
import { replicaCount } from './scene.ts';

/** How often a report of an alert is in a log. */
export interface Copies {
  fired: number;
  resolved: number;
}

export interface PlainEffect {
  readonly effect: Effect;
  readonly position: number;
}

/** What a fold that nothing ever happened to makes of one partition's log. */
export interface PlainPartition {
  readonly partition: number;
  readonly lastPosition: number;
  readonly entryCount: number;
  readonly effects: readonly PlainEffect[];
  readonly facts: ReadonlyMap<string, Fact['outcome']>;
  /** Effects that were claimed again, because nobody knew whether they had been carried out. */
  readonly claimedAgain: ReadonlySet<string>;
  /** By label `chaos_id`. */
  readonly copies: ReadonlyMap<string, Copies>;
  /** Owners that took the partition over, in their order. */
  readonly takeoverCount: number;
  /** Tables whose rows differ between the plain fold at the checkpoint's position and the checkpoint, with the first such row. */
  readonly differences: readonly string[];
}

export interface PlainOptions {
  readonly nats: NatsConnection;
  readonly partition: number;
  readonly checkpoint: Checkpoint;
  /** Given the rows of the history in their order. */
  readonly onRows: (rows: readonly HistoryRow[]) => Promise<void>;
}

const sliceCount = 500;
const duplicateWindowMs = 120_000;

/** Folds a partition's log from its first entry to its last, and compares on the way with the checkpoint. */
export async function foldPlainly({
  nats,
  partition,
  checkpoint,
  onRows,
}: PlainOptions): Promise<PlainPartition> {
  const log = await openJetStreamLog<LogEntry>({
    connection: nats,
    prefix: 'tocsin',
    partition,
    settings: { replicas: replicaCount, maxBytes: null, maxAgeMs: null, duplicateWindowMs },
    codec: entryCodec,
  });
  try {
    if (log.firstPosition > 1) throw new Error(`the log of partition ${partition} has lost its beginning`);
    const { fold } = newPipeline(partition);
    fold.restore(null);
    const found = new Findings();
    let differences: readonly string[] = [
      `the checkpoint is at ${checkpoint.position}, and the log ends at ${log.lastPosition}`,
    ];
    while (fold.position < log.lastPosition) {
      const isBefore = fold.position < checkpoint.position;
      const count = isBefore ? Math.min(sliceCount, checkpoint.position - fold.position) : sliceCount;
      const slice = await log.read(fold.position + 1, count);
      const { frames, rows } = await fold.apply(slice);
      for (const { position, effects } of frames) found.addEffects(position, effects);
      for (const entry of slice.entries) found.addEntry(entry);
      await onRows(rows);
      if (fold.position === checkpoint.position)
        differences = differencesOf(fold.snapshot(), restored(partition, checkpoint));
    }
    return { partition, lastPosition: fold.position, entryCount: fold.position, ...found, differences };
  } finally {
    await log.close();
  }
}

class Findings {
  readonly effects: PlainEffect[] = [];
  readonly facts = new Map<string, Fact['outcome']>();
  readonly claimedAgain = new Set<string>();
  readonly copies = new Map<string, Copies>();
  takeoverCount = 0;

  addEffects(position: number, effects: readonly Effect[]): void {
    for (const effect of effects) this.effects.push({ effect, position });
  }

  addEntry(entry: LogEntry): void {
    if (entry.kind === 'owner') this.takeoverCount++;
    else if (entry.kind === 'fact') this.facts.set(entry.payload.effectId, entry.payload.outcome);
    else if (entry.kind === 'claim' && entry.payload.isRepeated)
      this.claimedAgain.add(entry.payload.effectId);
    else if (entry.kind === 'alerts') {
      for (const { labels, endsByTimeout } of entry.payload) {
        const id = labelValue(labels, 'chaos_id');
        const copies = this.copies.get(id) ?? { fired: 0, resolved: 0 };
        copies[endsByTimeout ? 'fired' : 'resolved']++;
        this.copies.set(id, copies);
      }
    }
  }
}

function newPipeline(partition: number): ReturnType<typeof createPipeline> {
  return createPipeline({ scorer: createInlineScorer(), withHistory: true, scope: `p${partition}-` });
}

function restored(partition: number, checkpoint: Checkpoint): Checkpoint {
  const { fold } = newPipeline(partition);
  fold.restore(checkpoint);
  return fold.snapshot();
}

type Snapshot = ReturnType<ReturnType<typeof createPipeline>['fold']['snapshot']>;
type Rows = Snapshot['rows'];

/** Empty where both are the same, byte for byte. */
function differencesOf(plain: Snapshot, kept: Snapshot): string[] {
  if (Buffer.compare(encode(plain), encode(kept)) === 0) return [];
  const [plainRows, keptRows] = [byTable(plain.rows), byTable(kept.rows)];
  const tables = new Set([...plainRows.keys(), ...keptRows.keys()]);
  const differences = [...tables].flatMap((table) => {
    const [one, other] = [plainRows.get(table) ?? [], keptRows.get(table) ?? []];
    if (isSame(one, other)) return [];
    const index = one.findIndex((row, place) => !isSame(row, other[place]));
    const place = index === -1 ? one.length : index;
    const texts = [one[place], other[place]].map((row) => (JSON.stringify(row) ?? 'nothing').slice(0, 400));
    return [`${table} (${one.length} rows, ${other.length} kept): ${texts[0]} was kept as ${texts[1]}`];
  });
  return differences.length > 0 ? differences : ['the order of tables, or position and time'];
}

function byTable(rows: Rows): Map<string, Rows> {
  return Map.groupBy(rows, ({ table }) => table);
}

function isSame(one: unknown, other: unknown): boolean {
  return Buffer.compare(encode(one), encode(other)) === 0;
}
