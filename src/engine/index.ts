export * from './checkpoint.ts';
export * from './effect.ts';
export * from './entry.ts';
export * from './fold.ts';
export * from './frame.ts';
export * from './stage.ts';
export * from './table.ts';
