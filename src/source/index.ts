export * from './config.ts';
export * from './decode.ts';
export * from './decoders.ts';
export * from './ndjson.ts';
export * from './stage.ts';
export * from './nats.ts';
export * from './received.ts';
