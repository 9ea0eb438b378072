export { correlateConfig, type CorrelateConfig } from './config.ts';
export { createCorrelateStage, type CorrelateStage } from './stage.ts';
