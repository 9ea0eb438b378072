import { systemClock } from '../../src/app/clock.ts';
import type { Notification } from '../../src/incident/index.ts';
import {
  Notifier,
  notifyGlobals,
  receiversConfig,
  type NotifyResult,
  type SharedConfig,
} from '../../src/notify/index.ts';
import { effectOf } from './scene.ts';

/** A notifier whose receiver `web` has one integration of that section. */
export function notifierWith(
  key: string,
  config: Record<string, unknown>,
  globals: Record<string, unknown> = {},
  shared: SharedConfig = {},
): Notifier {
  return new Notifier(receiversConfig.parse([{ name: 'web', [key]: [config] }]), {
    deliveries: { isDelivered: async () => false, remember: async () => undefined },
    publisher: null,
    print: () => undefined,
    externalUrl: 'http://tocsin.example.net',
    attempts: 3,
    firstWaitMs: 1,
    longestWaitMs: 4,
    clock: systemClock,
    deadlineMs: 20_000,
    shared: { globals: notifyGlobals.parse(globals), ...shared },
  });
}

const unstopped = new AbortController().signal;

/** Tells the receiver of a notification. */
export function told(
  notifier: Notifier,
  change: Partial<Notification> = {},
  id = 'INC-1/1/web',
): Promise<NotifyResult> {
  return notifier.carryOut(effectOf(change, id), unstopped);
}
