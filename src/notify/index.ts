export * from './config.ts';
export { renderPage } from './console.ts';
export type { Publisher } from './nats.ts';
export * from './notifier.ts';
export { webhookBody, wireIncident } from './wire.ts';
