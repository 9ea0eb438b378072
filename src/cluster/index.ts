export * from './cluster.ts';
export * from './config.ts';
export * from './options.ts';
export type { Answer, Question } from './wire.ts';
