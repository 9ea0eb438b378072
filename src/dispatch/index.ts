export * from './config.ts';
export { explainAlert, type DispatchExplanation } from './explain.ts';
export { incidentLabel } from './route.ts';
export * from './stage.ts';
export { timeIntervalsConfig } from './time-interval-config.ts';
