export * from './alert.ts';
export * from './duration.ts';
export * from './fingerprint.ts';
export * from './labels.ts';
export * from './matcher-grammar.ts';
export * from './matcher.ts';
export * from './severity.ts';
