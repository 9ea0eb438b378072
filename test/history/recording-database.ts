import type { HistoryDatabase } from '../../src/history/index.ts';

/** Keeps the statements that are to change something; answers what is asked of `system.tables`, and nothing else. */
export function createRecordingDatabase(tables: readonly unknown[] = []): {
  readonly database: HistoryDatabase;
  readonly commands: string[];
} {
  const commands: string[] = [];
  const database: HistoryDatabase = {
    engine: 'server',
    insert: () => Promise.resolve(),
    query: <Row>(statement: string) =>
      Promise.resolve((statement.includes('FROM system.tables') ? tables : []) as readonly Row[]),
    command(statement) {
      commands.push(statement);
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  };
  return { database, commands };
}
