export { triageConfig, type TriageConfig } from './config.ts';
export { createTriageStage, type TriageStage } from './stage.ts';
