import type { Notification } from '../incident/index.ts';
import type { ReceiverGlobals } from './config-global.ts';
import type { PageSource } from './page.ts';

/** What integrations are built with beside their own configuration. */
export interface IntegrationContext extends PageSource {
  readonly globals: ReceiverGlobals;
}

/** One way to tell a receiver. */
export interface Integration {
  /** Its kind, such as `webhook` or `slack`, and its index among those of its receiver, such as `webhook[0]`. */
  readonly name: string;
  readonly sendResolved: boolean;
  /** What is sent twice under one id counts once with the receiver. */
  readonly isIdempotent?: boolean;
  /**
   * Makes one attempt. Rejects with TOC_NOTIFY_REFUSED where another would be no use, and with TOC_NOTIFY_FAILED otherwise;
   * the latter may be a `RetryAfter` that says when to come again. `id` is the same in each attempt.
   */
  send(id: string, notification: Notification, stop: AbortSignal): Promise<void>;
}

/**
 * The notification as an integration is to see it: one that does not want to hear of resolved alerts gets those that fire only, as
 * in Alertmanager (notify/notify.go, `RetryStage`). Null when nothing is left to say.
 */
export function notificationFor(
  { sendResolved }: Pick<Integration, 'sendResolved'>,
  notification: Notification,
): Notification | null {
  if (sendResolved) return notification.alerts.length === 0 ? null : notification;
  const alerts = notification.alerts.filter(({ status }) => status === 'firing');
  return alerts.length === 0 ? null : { ...notification, alerts };
}
