export * from './config.ts';
export * from './http-step.ts';
export * from './stage.ts';
