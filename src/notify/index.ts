export * from './config.ts';
export { renderPage, type PageOptions } from './console.ts';
export type { Publisher } from './nats.ts';
export * from './notifier.ts';
export { cloudEvent, webhookBody, wireIncident } from './wire.ts';
