export * from './command.ts';
export * from './flow.ts';
export * from './incident.ts';
export * from './notification.ts';
export * from './reason.ts';
export * from './service.ts';
export * from './service-graph.ts';
export * from './signal.ts';
