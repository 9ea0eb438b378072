export * from './ports.ts';
export { createApi, type ApiOptions } from './server.ts';
