export * from './config.ts';
export type { StoredSilence } from './silences.ts';
export * from './stage.ts';
