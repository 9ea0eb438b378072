export * from './config.ts';
export * from './decode.ts';
export * from './decoders.ts';
export { encodeCloudEventsMessage, type MessageHeaders } from './decode-cloudevents-message.ts';
export * from './ndjson.ts';
export * from './stage.ts';
export * from './received.ts';
export type { MessageOutcome, MessageReport, TakeMessage } from './nats-message.ts';
export { openNats, type NatsPort } from './open-nats.ts';
