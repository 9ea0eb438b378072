export * from './folder-format.ts';
export * from './folder-lock.ts';
export * from './lmdb-file.ts';
export * from './lmdb.ts';
export * from './store.ts';
