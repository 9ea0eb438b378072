import { dispatchConfig, routeConfig, type DispatchConfig, type RouteConfig } from './config.ts';
import { RouteTree, type Route } from './route.ts';
import { containsTime } from './time-interval.ts';
import type { TimeInterval, TimeIntervalsConfig } from './time-interval-config.ts';

/** One integration of a receiver. Each has been told of its own: one may have failed where another was reached. */
export interface IntegrationSettings {
  /** Such as `webhook[0]`; empty for the only one of a receiver without any. */
  readonly name: string;
  readonly sendResolved: boolean;
  /** Tell it only of alerts that have changed since it was told last. */
  readonly onlyChanged: boolean;
}

/** What dispatch reads of a configuration. */
export interface DispatchSettings {
  readonly tree: RouteTree;
  /** At least one integration each. */
  readonly receivers: ReadonlyMap<string, readonly IntegrationSettings[]>;
  readonly timeIntervals: ReadonlyMap<string, readonly TimeInterval[]>;
  /** A reload starts the clocks of all groups anew. */
  readonly reloadRestartsClocks: boolean;
  /** Whoever was paged in a storm is told what it was when it is over. */
  readonly reportsStorms: boolean;
  /** How many signals an incident takes in. */
  readonly maxSignals: number;
}

const defaultRoute = routeConfig.parse({ receiver: 'console', group_by: ['incident'] });

/** Reads the sections `route`, `receivers`, `time_intervals` and `dispatch` of a whole parsed configuration. */
export function readSettings(config: Readonly<Record<string, unknown>>): DispatchSettings {
  const receivers = (config['receivers'] ?? []) as readonly Readonly<Record<string, unknown>>[];
  const intervals = (config['time_intervals'] ?? []) as TimeIntervalsConfig;
  const correlate = config['correlate'] as { readonly max_signals?: number } | undefined;
  const storms = config['storms'] as { readonly report?: boolean } | undefined;
  const { strict_alertmanager } = (config['dispatch'] ?? dispatchConfig.parse({})) as DispatchConfig;
  return {
    tree: new RouteTree((config['route'] ?? defaultRoute) as RouteConfig, !strict_alertmanager),
    receivers: new Map(receivers.map((receiver) => [String(receiver['name']), integrationsOf(receiver)])),
    timeIntervals: new Map(intervals.map(({ name, time_intervals }) => [name, time_intervals])),
    reloadRestartsClocks: strict_alertmanager,
    reportsStorms: storms?.report ?? true,
    maxSignals: correlate?.max_signals ?? Infinity,
  };
}

/** The integrations of a receiver; a nameless one where there is none, or no such receiver. */
export function integrationsFor(
  settings: DispatchSettings,
  receiver: string,
): readonly IntegrationSettings[] {
  return settings.receivers.get(receiver) ?? nobody;
}

/** Why the route notifies of nothing at this time of day and week, or null when it does (Alertmanager's time stages). */
export function mutedByTime(
  { muteTimeIntervals, activeTimeIntervals }: Route,
  { timeIntervals }: DispatchSettings,
  nowMs: number,
): string | null {
  const holds = (name: string): boolean =>
    timeIntervals.get(name)?.some((interval) => containsTime(interval, nowMs)) ?? false;
  const muting = muteTimeIntervals.find(holds);
  if (muting !== undefined) return `muted by the time interval ${muting}`;
  if (activeTimeIntervals.length === 0 || activeTimeIntervals.some(holds)) return null;
  return `outside of the time intervals ${activeTimeIntervals.join(', ')}`;
}

const nobody: readonly IntegrationSettings[] = [{ name: '', sendResolved: true, onlyChanged: false }];

/** What dispatch reads of any integration. */
interface IntegrationConfig {
  readonly send_resolved?: boolean;
  readonly alerts?: 'all' | 'changed';
}

function integrationsOf(receiver: Readonly<Record<string, unknown>>): readonly IntegrationSettings[] {
  const integrations = Object.entries(receiver).flatMap(([key, configs]) =>
    Array.isArray(configs)
      ? (configs as readonly IntegrationConfig[]).map(({ send_resolved, alerts }, index) => ({
          name: `${key.replace(/_configs$/, '')}[${index}]`,
          sendResolved: send_resolved !== false,
          onlyChanged: alerts === 'changed',
        }))
      : [],
  );
  return integrations.length > 0 ? integrations : nobody;
}
