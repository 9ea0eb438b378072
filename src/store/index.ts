export * from './folder-lock.ts';
export * from './lmdb.ts';
export * from './store.ts';
