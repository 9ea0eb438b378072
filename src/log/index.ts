export * from './lmdb.ts';
export * from './log.ts';
