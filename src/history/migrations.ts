import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { TocsinError } from '../engine/index.ts';
import { sha256 } from './audit.ts';
import type { HistoryDatabase } from './database.ts';

/** One numbered step of the schema. Once released it never changes; the next change is the next number. */
export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly statements: readonly string[];
  /** SHA-256 of the file. */
  readonly checksum: string;
}

const folder = join(import.meta.dirname, 'migrations');
const fileName = /^(\d{4})-([a-z0-9-]+)\.sql$/;

/**
 * Reads the files `NNNN-name.sql` of a folder. A statement ends with `;` at the end of a line.
 * Throws TOC_HISTORY_MIGRATION_GAP when the numbers are not 1, 2, 3, ...
 */
export function loadMigrations(path: string = folder): readonly Migration[] {
  const files = readdirSync(path)
    .filter((file) => file.endsWith('.sql'))
    .toSorted();
  return files.map((file, index) => {
    const match = fileName.exec(file);
    const version = Number(match?.[1]);
    if (version !== index + 1) {
      throw new TocsinError('TOC_HISTORY_MIGRATION_GAP', `migration ${index + 1} is missing before ${file}`);
    }
    const text = readFileSync(join(path, file), 'utf8');
    const statements = text
      .split(/;$/m)
      .map((statement) => statement.trim())
      .filter((statement) => statement !== '');
    return { version, name: match?.[2] ?? '', statements, checksum: sha256(text) };
  });
}

/**
 * Brings the schema up to date and returns how many migrations were new. Each statement may run twice without harm, so that a
 * crash in between, or two processes at once, do not matter.
 *
 * Rejects with TOC_HISTORY_MIGRATION_CHANGED when an applied migration is not the file of today, with
 * TOC_HISTORY_MIGRATION_UNKNOWN when the database is ahead of these files (a newer Tocsin made it), and with
 * TOC_HISTORY_MIGRATION_GAP when one in between was never applied.
 */
export async function migrate(
  database: HistoryDatabase,
  {
    migrations = loadMigrations(),
    place = (statement) => statement,
  }: {
    readonly migrations?: readonly Migration[];
    /** Turns a statement into the one that is run. */
    readonly place?: (statement: string) => string;
  } = {},
): Promise<number> {
  await database.command(place(createMigrationsTable));
  const applied = await database.query<{ version: number; name: string; checksum: string }>(
    'SELECT version, name, checksum FROM schema_migrations FINAL ORDER BY version',
  );
  for (const [index, { version, name, checksum }] of applied.entries()) {
    const migration = migrations[index];
    if (version !== index + 1) {
      throw new TocsinError(
        'TOC_HISTORY_MIGRATION_GAP',
        `migration ${index + 1} is not applied, but ${version} is`,
      );
    }
    if (!migration) {
      throw new TocsinError(
        'TOC_HISTORY_MIGRATION_UNKNOWN',
        `the history has migration ${version} (${name}), which this version of Tocsin does not know`,
      );
    }
    if (checksum !== migration.checksum) {
      throw new TocsinError(
        'TOC_HISTORY_MIGRATION_CHANGED',
        `migration ${version} (${name}) was applied with other content`,
      );
    }
  }
  const pending = migrations.slice(applied.length);
  for (const { version, name, checksum, statements } of pending) {
    for (const statement of statements) await database.command(place(statement));
    await database.insert('schema_migrations', [JSON.stringify({ version, name, checksum })]);
  }
  return pending.length;
}

const createMigrationsTable = `CREATE TABLE IF NOT EXISTS schema_migrations
(
  version    UInt32,
  name       String,
  checksum   String,
  applied_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree
ORDER BY version`;
