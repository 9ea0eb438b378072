import { routeConfig, type RouteConfig } from './config.ts';
import { RouteTree } from './route.ts';

/** What dispatch reads of a configuration. */
export interface DispatchSettings {
  readonly tree: RouteTree;
  /** By name, whether the receiver wants to hear of resolved alerts: whether any of its integrations does. */
  readonly receivers: ReadonlyMap<string, { readonly sendResolved: boolean }>;
}

const defaultRoute = routeConfig.parse({ receiver: 'console', group_by: ['incident'] });

/** Reads the sections `route` and `receivers` of a whole parsed configuration. */
export function readSettings(config: Readonly<Record<string, unknown>>): DispatchSettings {
  const receivers = (config['receivers'] ?? []) as readonly Readonly<Record<string, unknown>>[];
  return {
    tree: new RouteTree((config['route'] ?? defaultRoute) as RouteConfig),
    receivers: new Map(
      receivers.map((receiver) => [String(receiver['name']), { sendResolved: wantsResolved(receiver) }]),
    ),
  };
}

function wantsResolved(receiver: Readonly<Record<string, unknown>>): boolean {
  const integrations = Object.values(receiver).filter(Array.isArray).flat() as readonly {
    readonly send_resolved?: boolean;
  }[];
  return integrations.length === 0 || integrations.some(({ send_resolved }) => send_resolved !== false);
}
