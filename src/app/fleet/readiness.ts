import type { Readiness, Trouble } from '../../api/index.ts';
import type { FleetConfig } from './config.ts';

export interface FleetReadinessOptions {
  readonly roles: FleetConfig['roles'];
  readonly isConnected: boolean;
  /** Whether the log of any partition takes something. */
  readonly canAppend: boolean;
  /** What is the matter with the work of an owner. */
  readonly owning: readonly Trouble[];
  /** Logs of partitions that did not take the last that was to be appended. */
  readonly appending: readonly Trouble[];
}

/**
 * Whether a process of a fleet is ready.
 *
 * Where reports are sent to it, nothing counts but whether it can keep them, which needs the logs alone: if what its partitions lack made
 * it unready, the loss of Redis would take all gateways from behind their load balancer, while every report could still be kept and every
 * page sent. A process that only owns partitions has no such senders. Whoever restarts one after the other asks it, and is told to wait
 * while it cannot take over what the next one gives up.
 */
export function fleetReadiness({
  roles,
  isConnected,
  canAppend,
  owning,
  appending,
}: FleetReadinessOptions): Readiness {
  const away: Trouble[] = isConnected
    ? []
    : [{ code: 'TOC_NATS_UNAVAILABLE', message: 'no NATS server of fleet.log answers' }];
  return {
    isReady: isConnected && canAppend && (roles.includes('gateway') || owning.length === 0),
    troubles: [...away, ...appending, ...owning],
  };
}
