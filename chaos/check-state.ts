import type { HistoryDatabase } from '../src/history/index.ts';
import type { Check } from './check.ts';
import type { PlainPartition } from './plain-fold.ts';
import type { Settled } from './settle.ts';

interface HashedRow {
  readonly partition: string;
  readonly row_id: string;
  readonly hash: string;
}

const tables = [
  'alerts',
  'verdicts',
  'signals',
  'incidents',
  'memberships',
  'links',
  'pages',
  'deliveries',
  'audit',
  'incident_sketches',
] as const;

/** Checkpoints and history are those of a plain fold of the same logs; `expected` holds the rows of that fold. */
export async function checkState(
  plain: readonly PlainPartition[],
  settled: Settled,
  history: HistoryDatabase,
  expected: HistoryDatabase,
): Promise<Check> {
  const violations = plain.flatMap(({ partition, differences }) =>
    differences.map(
      (difference) => `partition ${partition}: the checkpoint is not the plain fold: ${difference}`,
    ),
  );
  const counts: [string, number][] = [
    ['log entries folded', plain.reduce((sum, { entryCount }) => sum + entryCount, 0)],
    ['owners that took a partition over', plain.reduce((sum, each) => sum + each.takeoverCount, 0)],
    [
      'checkpoints the same byte for byte',
      plain.filter(({ differences }) => differences.length === 0).length,
    ],
  ];
  for (const table of tables) {
    const [kept, wanted] = await Promise.all([hashesOf(history, table), hashesOf(expected, table)]);
    counts.push([`rows of ${table}`, kept.size]);
    for (const [name, { hash, partition, row_id }] of wanted) {
      const row = kept.get(name);
      // What was folded while the owners ended may wait on a disk for them to come back.
      const isDue = Number(row_id.split('/')[0]) <= (settled.get(Number(partition)) ?? 0);
      if (!row && isDue) violations.push(`history: row ${name} of ${table} is missing`);
      else if (row && row.hash !== hash)
        violations.push(`history: row ${name} of ${table} is not that of the plain fold`);
    }
    for (const name of kept.keys())
      if (!wanted.has(name)) violations.push(`history: row ${name} of ${table} is none of the plain fold`);
  }
  return { title: '2. state and history against a plain fold', counts, violations };
}

async function hashesOf(database: HistoryDatabase, table: string): Promise<Map<string, HashedRow>> {
  const rows = await database.query<HashedRow>(
    `SELECT partition, row_id, hex(SHA256(formatRow('JSONEachRow', *))) AS hash FROM ${table} FINAL`,
  );
  return new Map(rows.map((row) => [`${row.partition}:${row.row_id}`, row]));
}
