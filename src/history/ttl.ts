import type { HistoryConfig } from './config.ts';
import type { HistoryDatabase } from './database.ts';

/** How long each table keeps its rows, in milliseconds; for ever where nothing is said. */
export type Ttl = Readonly<HistoryConfig['ttl']>;

type Named = Exclude<keyof Ttl, 'default'>;

const keyOf: Readonly<Record<string, Named>> = {
  alerts: 'alerts',
  verdicts: 'verdicts',
  signals: 'signals',
  incidents: 'incidents',
  memberships: 'memberships',
  links: 'links',
  storms: 'storms',
  covers: 'covers',
  pages: 'pages',
  deliveries: 'deliveries',
  incident_sketches: 'incident_sketches',
  sketch_bands: 'incident_sketches',
  audit: 'audit',
};

/** How ClickHouse shows a TTL of ours; another one was set by hand. */
const ours = /^toDateTime\(at\) \+ toIntervalSecond\(\d+\)$/;

/**
 * Lets every table keep its rows as long as `ttl` says, and resolves with the statements that were needed: none when nothing has
 * changed. A TTL that was set by hand stays where `ttl` says nothing of its table. ClickHouse deletes rows when it
 * merges, at its leisure; a shorter TTL also holds for rows that are there already.
 */
export async function applyTtl(
  database: HistoryDatabase,
  ttl: Ttl,
  place: (statement: string) => string = (statement) => statement,
): Promise<readonly string[]> {
  const tables = await database.query<{ name: string; engine: string }>(
    'SELECT name, engine_full AS engine FROM system.tables WHERE database = currentDatabase() ORDER BY name',
  );
  const statements: string[] = [];
  for (const { name, engine } of tables) {
    const key = keyOf[name];
    if (key === undefined) continue;
    const wanted = expressionOf(ttl[key] ?? (key === 'audit' ? undefined : ttl.default));
    const present = / TTL (.+?)(?: SETTINGS .*)?$/s.exec(engine)?.[1] ?? null;
    if (wanted === present || (wanted === null && !ours.test(present ?? ''))) continue;
    statements.push(place(`ALTER TABLE ${name} ${wanted === null ? 'REMOVE TTL' : `MODIFY TTL ${wanted}`}`));
  }
  for (const statement of statements) await database.command(statement);
  return statements;
}

function expressionOf(keptMs: number | undefined): string | null {
  return keptMs === undefined ? null : `toDateTime(at) + toIntervalSecond(${Math.ceil(keptMs / 1000)})`;
}
