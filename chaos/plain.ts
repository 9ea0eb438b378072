import { isResolvedAt, labelValue, type Alert } from '../src/alert/index.ts';
import { closeNats, connectNats, natsConnectionConfig } from '../src/nats/index.ts';
import { entryCodec } from '../src/app/entry-codec.ts';
import { scopeOf } from '../src/app/fleet/scope.ts';
import { createPipeline, type Pipeline } from '../src/app/pipeline.ts';
import type { Checkpoint, Effect, Fact, HistoryRow } from '../src/engine/index.ts';
import type { LogEntry } from '../src/incident/index.ts';
import { openJetStreamLog } from '../src/log/index.ts';
import { createInlineScorer } from '../src/score/index.ts';
import { connectRedis, openRedisStore, redisConfig } from '../src/store/index.ts';
import { reportKey } from './load.ts';
import { partitionCount, type Scene } from './scene.ts';

/** A partition as one process comes to it that nothing ever happened to, beside what the fleet has left behind. */
export interface PlainPartition {
  readonly partition: number;
  /** The fleet's last checkpoint. */
  readonly checkpoint: Checkpoint;
  /** The plain fold of the log up to there. */
  readonly pipeline: Pipeline;
  /** Entries of each kind. */
  readonly entryCounts: ReadonlyMap<string, number>;
  /** Of kind `notify`, in the order of their emission. */
  readonly pages: readonly Effect[];
  /** How each effect ended, as the log says. */
  readonly facts: ReadonlyMap<string, Fact>;
  /** When, in log time. */
  readonly endedMs: ReadonlyMap<string, number>;
  /** When the log was told first that an alert has ended, by fingerprint, in log time. Each alert fires once. */
  readonly resolvedMs: ReadonlyMap<string, number>;
  /** Effects that an owner claimed though one before it had: nobody could say whether they had been carried out. */
  readonly claimedAgain: ReadonlySet<string>;
  /** How often each report of a sender is in the log, by `reportKey`. */
  readonly copies: ReadonlyMap<string, number>;
  readonly rows: readonly HistoryRow[];
}

const readCount = 256;

/** Reads the checkpoints from Redis, and folds the log of each partition from its first entry to where its checkpoint is. */
export async function foldPlainly({ nats, redis }: Scene): Promise<PlainPartition[]> {
  const connection = await connectNats(natsConnectionConfig.parse({ servers: [...nats.urls] }), 'chaos');
  const store = await connectRedis(redisConfig.parse({ url: redis.url }), 'chaos');
  try {
    const plain: PlainPartition[] = [];
    for (let partition = 0; partition < partitionCount; partition++) {
      const checkpoint = await openRedisStore(store, String(partition)).readCheckpoint();
      if (!checkpoint) throw new Error(`partition ${partition} has no checkpoint`);
      const log = await openJetStreamLog<LogEntry>({
        connection,
        prefix: 'tocsin',
        partition,
        settings: { replicas: 3, maxBytes: null, maxAgeMs: null, duplicateWindowMs: 120_000 },
        codec: entryCodec,
      });
      plain.push(await foldOne(partition, checkpoint, log));
      await log.close();
    }
    return plain;
  } finally {
    await store.close();
    await closeNats(connection);
  }
}

async function foldOne(
  partition: number,
  checkpoint: Checkpoint,
  log: Awaited<ReturnType<typeof openJetStreamLog<LogEntry>>>,
): Promise<PlainPartition> {
  const pipeline = createPipeline({
    scorer: createInlineScorer(),
    withHistory: true,
    scope: scopeOf(partition),
  });
  const { fold } = pipeline;
  fold.restore(null);
  const pages: Effect[] = [];
  const facts = new Map<string, Fact>();
  const rows: HistoryRow[] = [];
  const endedMs = new Map<string, number>();
  const resolvedMs = new Map<string, number>();
  const claimedAgain = new Set<string>();
  const copies = new Map<string, number>();
  const entryCounts = new Map<string, number>();
  while (fold.position < checkpoint.position) {
    const count = Math.min(readCount, checkpoint.position - fold.position);
    const slice = await log.read(fold.position + 1, count);
    if (slice.entries.length === 0)
      throw new Error(
        `the log of partition ${partition} ends at ${fold.position}, before its checkpoint of ${checkpoint.position}`,
      );
    for (const { kind, payload, timeMs } of slice.entries) {
      entryCounts.set(kind, (entryCounts.get(kind) ?? 0) + 1);
      if (kind === 'fact') {
        facts.set(payload.effectId, payload);
        endedMs.set(payload.effectId, timeMs);
      } else if (kind === 'claim' && payload.isRepeated) claimedAgain.add(payload.effectId);
      else if (kind === 'alerts') {
        countReports(payload, copies);
        for (const alert of payload)
          if (isResolvedAt(alert, alert.receivedAtMs) && !resolvedMs.has(alert.fingerprint))
            resolvedMs.set(alert.fingerprint, timeMs);
      }
    }
    const output = await fold.apply(slice);
    pages.push(...output.effects.filter(({ kind }) => kind === 'notify'));
    rows.push(...output.rows);
  }
  return {
    partition,
    checkpoint,
    pipeline,
    entryCounts,
    pages,
    facts,
    endedMs,
    resolvedMs,
    claimedAgain,
    copies,
    rows,
  };
}

function countReports(alerts: readonly Alert[], copies: Map<string, number>): void {
  for (const alert of alerts) {
    const what = isResolvedAt(alert, alert.receivedAtMs) ? 'resolved' : 'fired';
    const key = reportKey(what, labelValue(alert.labels, 'chaos_id'));
    copies.set(key, (copies.get(key) ?? 0) + 1);
  }
}
