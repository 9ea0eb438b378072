export * from './encode-entry.ts';
export * from './lmdb.ts';
export * from './log.ts';
