import { TocsinError } from '../engine/index.ts';
import type { HistoryDatabase } from './database.ts';

/** On which hosts of a cluster tables are made, and whether they are replicated. */
export interface Placement {
  /** Name of a cluster; the one host that is asked when absent. */
  readonly cluster?: string | undefined;
  /** Arguments of the replicated engine, with the server's macros; plain tables when absent. */
  readonly replicated?: { readonly path: string; readonly replica: string } | undefined;
}

/** Statements that change the schema, up to the name of what they change. */
const target =
  /^((?:CREATE (?:TABLE|MATERIALIZED VIEW|DATABASE) IF NOT EXISTS|DROP (?:TABLE|VIEW) IF EXISTS|ALTER TABLE) [A-Za-z_][A-Za-z0-9_]*)/;

const plainEngine = /^ENGINE = ReplacingMergeTree$/m;

/**
 * A statement of the schema as it is to be run under a placement. The migrations know nothing of clusters: they are the same text for
 * the embedded engine, for a server and for a cluster. Throws a RangeError at a statement that it can't place.
 */
export function placeStatement(statement: string, { cluster, replicated }: Placement): string {
  if (statement.startsWith('INSERT INTO ')) return statement;
  if (!target.test(statement)) {
    throw new RangeError(`this statement can't be placed: ${statement.split('\n', 1)[0] ?? ''}`);
  }
  const onCluster =
    cluster === undefined ? statement : statement.replace(target, `$1 ON CLUSTER \`${cluster}\``);
  if (!replicated) return onCluster;
  const engine = `ENGINE = ReplicatedReplacingMergeTree('${replicated.path}', '${replicated.replica}')`;
  return onCluster.replace(plainEngine, () => engine);
}

/**
 * Rejects with TOC_HISTORY_TABLES_DIFFER when tables that exist are not what the placement asks for: `IF NOT EXISTS` passes over
 * them, and a replica that replicates nothing would be found out when it is needed.
 */
export async function checkPlacement(database: HistoryDatabase, { replicated }: Placement): Promise<void> {
  const tables = await database.query<{ name: string; engine: string }>(
    `SELECT name, engine FROM system.tables
     WHERE database = currentDatabase() AND engine LIKE '%ReplacingMergeTree' ORDER BY name`,
  );
  const wanted = replicated ? 'ReplicatedReplacingMergeTree' : 'ReplacingMergeTree';
  // ClickHouse Cloud replicates every table by an engine of its own.
  const other = tables.find(({ engine }) => engine !== wanted && engine !== 'SharedReplacingMergeTree');
  if (!other) return;
  throw new TocsinError(
    'TOC_HISTORY_TABLES_DIFFER',
    `history.replicated asks for ${wanted}, but table ${other.name} is ${other.engine}`,
  );
}
