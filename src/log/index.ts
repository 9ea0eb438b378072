export * from './encode-entry.ts';
export type { JetStreamLogOptions } from './jetstream.ts';
export type { StreamSettings } from './jetstream-client.ts';
export * from './lmdb.ts';
export * from './log.ts';
export * from './open-jetstream.ts';
export type { Snapshots } from './stream-snapshots.ts';
