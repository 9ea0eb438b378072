export * from './folder-format.ts';
export * from './folder-lock.ts';
export * from './lmdb-file.ts';
export * from './lmdb.ts';
export { redisConfig, type RedisConfig } from './redis-config.ts';
export { connectRedis, type RedisConnection } from './redis-connection.ts';
export * from './redis.ts';
export * from './store.ts';
