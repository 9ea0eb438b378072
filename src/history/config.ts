import { z } from 'zod';
import { durationSchema, urlSchema } from '../alert/index.ts';

/**
 * Section `history`: where everything that happened is kept for analysts and for recall. Without `url` it is the
 * embedded ClickHouse engine in the storage folder; with `url` a ClickHouse server.
 */
export const historyConfig = z.strictObject({
  enabled: z.boolean().default(true),
  /** A ClickHouse server's HTTP interface, such as `http://clickhouse:8123`. */
  url: urlSchema({ hasQuery: false }).optional(),
  user: z.string().min(1).default('default'),
  /** File that holds the password; its last line end is not part of it. */
  password_file: z.string().min(1).optional(),
  database: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be letters, digits and underscores')
    .default('tocsin'),
  /** Reports that change nothing are counted this long, log time, for each alert before they become one row. */
  repeat_interval: durationSchema.prefault('5m').refine((ms) => ms >= 60_000, 'must be 1m or more'),
  /** How long a row may wait for others before it is written. */
  flush_interval: durationSchema.prefault('1s'),
  /** How many rows are written at once at most. */
  max_batch_rows: z.int().min(1).max(1_000_000).default(10_000),
  /** How many rows may wait while the history does not take them; above that the oldest are dropped and counted. */
  max_buffered_rows: z.int().min(1).default(200_000),
  /** The same bound on their size in memory. */
  max_buffered_mib: z.int().min(1).default(256),
  /** How long recall of past incidents may take before it is given up. */
  recall_timeout: durationSchema.prefault('5s'),
});

export type HistoryConfig = z.output<typeof historyConfig>;
