export * from './ports.ts';
export type { RequestLimits } from './limits.ts';
export { createApi, type ApiOptions } from './server.ts';
export { selectAlerts, selectGroups, selectIncidents, selectSilences } from './select.ts';
