import { z } from 'zod';
import { durationSchema, urlSchema } from '../alert/index.ts';

const keepSchema = durationSchema.refine((ms) => ms >= 3_600_000, 'must be 1h or more').optional();

/** How long the rows of a table are kept, counted from their `at`. Bands go with the sketches that they are made from. */
const ttlConfig = z.strictObject({
  /** Every table that is not named here, but `audit`: a trail whose beginning is gone can't be verified from its first row. */
  default: keepSchema,
  alerts: keepSchema,
  verdicts: keepSchema,
  signals: keepSchema,
  incidents: keepSchema,
  memberships: keepSchema,
  links: keepSchema,
  storms: keepSchema,
  covers: keepSchema,
  pages: keepSchema,
  deliveries: keepSchema,
  incident_sketches: keepSchema,
  audit: keepSchema,
});

const fileName = z.string().min(1);

const tlsConfig = z
  .strictObject({
    /** PEM file of the authority that signed the server's certificate; without it those that Node trusts. */
    ca_file: fileName.optional(),
    /** PEM files of this client's certificate and its key. Without `password_file` they also say who the user is. */
    cert_file: fileName.optional(),
    key_file: fileName.optional(),
  })
  .refine(({ cert_file, key_file }) => (cert_file === undefined) === (key_file === undefined), {
    error: 'cert_file and key_file are only of use together',
  });

/** Letters that need no quoting in a statement, nor in a path of ClickHouse Keeper. */
const nameSchema = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be letters, digits and underscores');

/** Text that becomes a quoted argument of an engine. */
const engineArgument = z
  .string()
  .min(1)
  .regex(/^[^'\\\n]*$/, 'must hold no quote, backslash or line end');

/** What only a server can do. Given without `url` it is a mistake, not a wish that is passed over. */
const serverKeys = ['cluster', 'replicated', 'tls', 'password_file'] as const;

/**
 * Section `history`: where everything that happened is kept for analysts and for recall. Without `url` it is the
 * embedded ClickHouse engine in the storage folder; with `url` a ClickHouse server.
 */
export const historyConfig = z
  .strictObject({
    enabled: z.boolean().default(true),
    /** A ClickHouse server's HTTP interface, such as `http://clickhouse:8123`. */
    url: urlSchema({ hasQuery: false }).optional(),
    user: z.string().min(1).default('default'),
    /** File that holds the password; its last line end is not part of it. */
    password_file: fileName.optional(),
    database: nameSchema.default('tocsin'),
    /** Trust and identity on an `https` URL. */
    tls: tlsConfig.optional(),
    /** How long making a connection, TLS included, may take. */
    connect_timeout: durationSchema.prefault('5s').refine((ms) => ms >= 100, 'must be 100ms or more'),
    /** How long the server may keep silent while it has a request. */
    request_timeout: durationSchema.prefault('30s').refine((ms) => ms >= 1_000, 'must be 1s or more'),
    /** How requests and answers are compressed. */
    compression: z.enum(['none', 'gzip', 'zstd']).default('zstd'),
    /** Lets the server gather inserts of several clients before it writes them. Rows wait for that either way. */
    async_insert: z.boolean().default(false),
    /** Name of the cluster on all of whose hosts the tables are made (`ON CLUSTER`). */
    cluster: nameSchema.optional(),
    /** Tables are `ReplicatedReplacingMergeTree`. Decided when the tables are made: those that exist are not converted. */
    replicated: z.boolean().default(false),
    /** Path of a replicated table in ClickHouse Keeper, with the server's macros. */
    replica_path: engineArgument
      .refine(
        (path) => path.startsWith('/') && path.includes('{table}'),
        'must begin with / and hold {table}',
      )
      .default('/clickhouse/tables/{shard}/{database}/{table}'),
    /** Name of this replica below that path. */
    replica_name: engineArgument.default('{replica}'),
    /** How long rows are kept; for ever where nothing is said. */
    ttl: ttlConfig.prefault({}),
    /** Reports that change nothing are counted this long, log time, for each alert before they become one row. */
    repeat_interval: durationSchema.prefault('5m').refine((ms) => ms >= 60_000, 'must be 1m or more'),
    /** How long a row may wait for others before it is written. */
    flush_interval: durationSchema.prefault('1s'),
    /** How many rows are written at once at most. */
    max_batch_rows: z.int().min(1).max(1_000_000).default(10_000),
    /** How many rows may wait in memory; above that the oldest are dropped and counted. */
    max_buffered_rows: z.int().min(1).default(200_000),
    /** The same bound on their size in memory. */
    max_buffered_mib: z.int().min(1).default(256),
    /** How much of the storage folder's disk rows may take while a server is away; above that the oldest are dropped and counted. */
    max_spill_mib: z.int().min(1).default(1_024),
    /** How long recall of past incidents may take before it is given up. */
    recall_timeout: durationSchema.prefault('5s'),
  })
  .superRefine((section, context) => {
    if (section.url === undefined) {
      for (const key of serverKeys) {
        if (section[key] === undefined || section[key] === false) continue;
        context.addIssue({
          code: 'custom',
          path: [key],
          message: 'needs history.url: the embedded engine has no such thing',
        });
      }
    } else if (section.tls !== undefined && !section.url.startsWith('https:')) {
      context.addIssue({ code: 'custom', path: ['tls'], message: 'needs an https URL' });
    }
  });

export type HistoryConfig = z.output<typeof historyConfig>;
