import { systemClock } from '../../src/app/clock.ts';
import { ConfigInForce } from '../../src/app/config-in-force.ts';
import { entryCodec } from '../../src/app/entry-codec.ts';
import { acquirePartition, type OwnedPartition } from '../../src/app/fleet/owned-partition.ts';
import { scopeOf } from '../../src/app/fleet/scope.ts';
import { createLogger } from '../../src/app/logger.ts';
import { startScorer } from '../../src/app/scorer.ts';
import { createTelemetry } from '../../src/app/telemetry.ts';
import { createMissingRecall } from '../../src/history/index.ts';
import type { LogEntry } from '../../src/incident/index.ts';
import type { JetStreamLogOptions } from '../../src/log/index.ts';
import { closeNats, connectNats, type NatsConnection } from '../../src/nats/index.ts';
import { connectRedis, openRedisStore } from '../../src/store/index.ts';
import { startWatch, type Measured } from './measured.ts';

export function logOptions(connection: NatsConnection, partition: number): JetStreamLogOptions<LogEntry> {
  return {
    connection,
    prefix: 'bench',
    partition,
    settings: { replicas: 1, maxBytes: null, maxAgeMs: null, duplicateWindowMs: 120_000 },
    codec: entryCodec,
  };
}

/**
 * Leads partitions as an owner of a fleet does, in this process and without a steward: reads the checkpoint, folds what the stream holds
 * since, takes the log over. Gives how long that took from when NATS and Redis were connected.
 */
export async function ownPartitions(
  configFile: string,
  partitions: readonly number[],
): Promise<Measured & { close(): Promise<void> }> {
  const logger = createLogger('error');
  const clock = systemClock;
  const inForce = await ConfigInForce.load({ configFile }, logger, () => clock.nowMs());
  const fleet = inForce.config.fleet!;
  const connection = await connectNats(fleet.log, 'bench');
  const redis = await connectRedis(fleet.store, 'bench');
  const running = startScorer(inForce.config);
  const telemetry = createTelemetry();
  const measured = startWatch();
  const taken = await Promise.all(
    partitions.map(async (partition): Promise<OwnedPartition> => {
      const owned = await acquirePartition({
        scope: scopeOf(partition),
        self: `bench-${process.pid}`,
        leaseMs: fleet.lease,
        log: logOptions(connection, partition),
        store: openRedisStore(redis, String(partition)),
        recall: createMissingRecall(),
        sink: null,
        scorer: running.scorer,
        publisher: null,
        print: () => undefined,
        telemetry,
        inForce,
        clock,
        logger,
        answer: () => () => undefined,
      });
      if (!owned) throw new Error(`another process has the lease of partition ${partition}`);
      await owned.start();
      return owned;
    }),
  );
  return {
    ...measured(),
    async close() {
      await Promise.all(taken.map((one) => one.close('hand over')));
      await running.stop();
      await telemetry.stop();
      await redis.close();
      await closeNats(connection);
    },
  };
}
