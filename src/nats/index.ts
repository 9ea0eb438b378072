export { natsConnectionConfig, type NatsConnectionConfig } from './config.ts';
export { closeNats, connectNats } from './connect.ts';
export type { NatsConnection } from '@nats-io/transport-node';
export { watchConnection, type Reach } from './reach.ts';
export { AnswerError, openQuestions, type Questions } from './questions.ts';
