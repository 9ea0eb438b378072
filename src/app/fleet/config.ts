import { z } from 'zod';
import { durationSchema } from '../../alert/index.ts';
import { natsConnectionConfig } from '../../nats/index.ts';
import { redisConfig } from '../../store/index.ts';

/** The JetStream streams that hold the logs, one a partition. */
const fleetLog = natsConnectionConfig.safeExtend({
  /** Names of streams and subjects begin with it. */
  prefix: z
    .string()
    .regex(/^[A-Za-z0-9_-]+$/, 'must be letters, digits, dashes and underscores')
    .default('tocsin'),
  /** Servers that keep a copy of each entry. */
  replicas: z.int().min(1).max(5).default(1),
  /** Room of one partition's log. When it is full reports are refused, and nothing is thrown away. */
  max_mib: z.int().min(1).optional(),
  /**
   * Entries that are older leave the log, folded in or not: an owner that lacks one stops with TOC_LOG_GAP. Without it they leave when a
   * snapshot beside the log has them that is as old as `storage.log_retention` (decision 15).
   */
  max_age: durationSchema.optional(),
});

/**
 * Section `fleet`: this process is one of many that share the work. Logs are JetStream streams, leases and checkpoints lie in Redis. Any
 * number of processes take reports in and answer for all partitions; those with the role `owner` divide the partitions among them.
 */
export const fleetConfig = z.strictObject({
  /** How many logs there are. A domain lies wholly in one of them; so the number stays what it is as long as the logs live. */
  partitions: z.int().min(1).max(1024),
  roles: z
    .array(z.enum(['gateway', 'owner']))
    .min(1)
    .default(['gateway', 'owner']),
  /** A process that was not heard for so long loses its partitions to others. */
  lease: durationSchema.prefault('5s').refine((ms) => ms >= 1000, 'must be 1s or more'),
  log: fleetLog,
  store: redisConfig,
});

export type FleetConfig = z.output<typeof fleetConfig>;
