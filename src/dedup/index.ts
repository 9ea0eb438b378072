export * from './config.ts';
export * from './flapping.ts';
export * from './lsh.ts';
export * from './mask.ts';
export * from './minhash.ts';
export * from './stage.ts';
