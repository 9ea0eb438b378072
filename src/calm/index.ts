export { stormsConfig, transientsConfig, type StormsConfig, type TransientsConfig } from './config.ts';
export { createCalmStage, type CalmStage } from './stage.ts';
