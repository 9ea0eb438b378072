export * from './audit.ts';
export * from './clickhouse.ts';
export * from './config.ts';
export type { HistoryDatabase, QueryParameter } from './database.ts';
export * from './past.ts';
export * from './query.ts';
export * from './recall.ts';
export * from './stage.ts';
export * from './writer.ts';
