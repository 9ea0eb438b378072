import { isDeepStrictEqual } from 'node:util';
import type { Trouble } from '../../api/index.ts';
import type { Questions } from '../../nats/index.ts';
import { isOutrun, TocsinError } from '../../engine/index.ts';
import { Steward } from '../../fleet/index.ts';
import type { LogEntry } from '../../incident/index.ts';
import type { JetStreamLogOptions } from '../../log/index.ts';
import { connectRedis, openRedisRegistry, openRedisStore } from '../../store/index.ts';
import type { Closing } from '../closing.ts';
import type { ConfigInForce } from '../config-in-force.ts';
import { openHistoryParts, type HistoryParts } from '../history-parts.ts';
import type { InstanceOptions } from '../instance.ts';
import type { Partition, PartitionOptions } from '../partition.ts';
import { startScorer } from '../scorer.ts';
import { seldom } from '../seldom.ts';
import type { Telemetry } from '../telemetry.ts';
import { answerFor } from './ask.ts';
import { createDirectory } from './directory.ts';
import { acquirePartition, type OwnedPartition } from './owned-partition.ts';
import { scopeOf } from './scope.ts';
import { createVoice, type PartitionVoice } from './voice.ts';

export interface OwnershipParts {
  readonly inForce: ConfigInForce;
  /** The name of this process in this life. */
  readonly self: string;
  readonly questions: Questions;
  readonly logOptions: (partition: number) => JetStreamLogOptions<LogEntry>;
  readonly nats: PartitionOptions['publisher'];
  readonly telemetry: Telemetry;
  readonly closing: Closing;
}

/** The partitions that this process owns. */
export interface Ownership {
  /** Those that are up to date and led by this process, by number. */
  readonly led: ReadonlyMap<number, Partition>;
  /** The same, for whoever asks. */
  readonly voices: ReadonlyMap<number, PartitionVoice>;
  /** Null where no history is kept. */
  readonly history: HistoryParts['writer'];
  /** Partitions that could not be led here and that no other process has taken since, and a store that does not answer. */
  troubles(): readonly Trouble[];
}

/** Begins to take partitions. They are handed over when `closing` closes. */
export async function openOwnership(
  { clock, logger, print }: Pick<InstanceOptions, 'clock' | 'logger' | 'print'>,
  { inForce, self, questions, logOptions, nats, telemetry, closing }: OwnershipParts,
): Promise<Ownership> {
  const { config } = inForce;
  const fleet = config.fleet!;
  const redis = await connectRedis(fleet.store, `tocsin ${self}`);
  closing.defer(() => redis.close());
  const running = startScorer(config);
  closing.defer(() => running.stop());
  const history = await openHistoryParts(config, config.storage.path, { logger, telemetry, delayMs: 0 });
  closing.defer(() => history.close());

  const owned = new Map<number, OwnedPartition>();
  const led = new Map<number, Partition>();
  const voices = new Map<number, PartitionVoice>();
  const troubles = new Map<number, Trouble>();
  let away: Trouble | null = null;
  let seenAtMs = clock.nowMs();
  const answer = (partition: number, voice: PartitionVoice): (() => void) => {
    voices.set(partition, voice);
    const stop = answerFor(questions, { prefix: fleet.log.prefix, partition, voice });
    return () => {
      voices.delete(partition);
      stop();
    };
  };
  const acquire = async (partition: number): Promise<OwnedPartition | null> => {
    const taken = await acquirePartition({
      scope: scopeOf(partition),
      self,
      leaseMs: fleet.lease,
      log: logOptions(partition),
      store: openRedisStore(redis, String(partition)),
      recall: history.recall,
      sink: history.writer?.sinkOf(String(partition)) ?? null,
      scorer: running.scorer,
      publisher: nats,
      print,
      telemetry,
      inForce,
      clock,
      logger: logger.child({ partition }),
      answer: (led) => answer(partition, createVoice(led)),
    });
    if (taken) owned.set(partition, taken);
    return taken;
  };
  // Several times a second, for as long as Redis is away.
  const tellAway = seldom(awayEveryMs, (error: TocsinError, count) =>
    logger.warn(
      { code: error.code, err: error, count },
      'The leases could not be looked after; it is tried again.',
    ),
  );
  const steward = new Steward({
    self,
    partitionCount: fleet.partitions,
    leaseMs: fleet.lease,
    directory: createDirectory({
      registry: openRedisRegistry(redis),
      self,
      address: config.server.listen,
      partitionCount: fleet.partitions,
      ttlMs: fleet.lease,
      onAway(error) {
        away = {
          code: 'TOC_STORE_UNAVAILABLE',
          message: `${refusalOf(error) ?? 'Redis does not answer'}; partitions that are led go on`,
        };
      },
      onSeen(owners) {
        away = null;
        seenAtMs = clock.nowMs();
        for (const partition of troubles.keys())
          if ((owners.get(partition) ?? self) !== self) troubles.delete(partition);
      },
    }),
    acquire,
    clock,
    onTaken(partition) {
      const taken = owned.get(partition)?.led;
      if (!taken) return;
      led.set(partition, taken);
      troubles.delete(partition);
      void followConfig(taken);
    },
    onGone(partition, why) {
      owned.delete(partition);
      led.delete(partition);
      if (why === 'handed over') return logger.info({ partition }, 'The partition was handed over.');
      if (isOutrun(why)) return logger.warn({ partition, code: why.code }, why.message);
      troubles.set(partition, told(partition, why));
      return logger.error({ partition, code: why.code, err: why.cause }, why.message);
    },
    onTrouble(error, partition) {
      const isAway = error instanceof TocsinError && error.code === 'TOC_STORE_UNAVAILABLE';
      if (isAway) tellAway(error);
      else
        logger.warn(
          { err: error, ...(partition === null ? {} : { partition }) },
          'The leases could not be looked after; it is tried again.',
        );
    },
  });
  /** The files may have been loaded again while it was taken. */
  const followConfig = async (partition: Partition): Promise<void> => {
    const payload = await inForce.payload();
    if (isDeepStrictEqual(partition.fold.config?.payload, payload)) return;
    partition.carriers.configure(inForce.config, inForce.templates);
    await partition.configure(payload);
  };
  steward.start();
  closing.defer(() => steward.stop());
  return {
    led,
    voices,
    history: history.writer,
    troubles() {
      const now = new Map(troubles);
      for (const [partition, { trouble }] of owned) if (trouble) now.set(partition, told(partition, trouble));
      const unseenMs = clock.nowMs() - seenAtMs;
      const isStuck = !away && unseenMs > leasesUnseen * fleet.lease;
      return [...(away ? [away] : []), ...(isStuck ? [stuck(unseenMs)] : []), ...now.values()];
    },
  };
}

function told(partition: number, { code, message }: TocsinError): Trouble {
  return { code, message: `partition ${partition}: ${message}` };
}

const awayEveryMs = 30_000;

/** What Redis said, where it answered. Without the address, which is nobody's business who may only ask whether a process is ready. */
function refusalOf(error: unknown): string | null {
  const { cause } = error as Error;
  if (!(cause instanceof Error) || cause.name !== 'ReplyError') return null;
  return `Redis refuses: ${cause.message.split(/\.? script: /, 1)[0]}`;
}

/** Leases are looked after three times in the life of one. Whoever did not for so many has lost them, or stands still. */
const leasesUnseen = 6;

function stuck(forMs: number): Trouble {
  const message = `the leases were not looked after for ${Math.round(forMs / 1000)} s`;
  return { code: 'TOC_STORE_FENCED', message };
}
