export * from './alert.ts';
export * from './fingerprint.ts';
export * from './labels.ts';
export * from './matcher.ts';
export * from './severity.ts';
