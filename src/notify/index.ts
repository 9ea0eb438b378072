export * from './config.ts';
export { checkGlobals, globalKeys, globalsOf, notifyGlobals, type ReceiverGlobals } from './config-global.ts';
export { httpConfig, type HttpConfig } from './config-http.ts';
export { renderPage, type PageOptions } from './console.ts';
export { receiverMistakes, type ReceiverMistake } from './integrations.ts';
export type { Publisher } from './nats.ts';
export * from './notifier.ts';
export { globalsWithoutSecrets, withoutSecrets } from './without-secrets.ts';
export { cloudEvent, webhookBody, wireIncident } from './wire.ts';
