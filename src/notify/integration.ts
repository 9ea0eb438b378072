import type { Notification } from '../incident/index.ts';

/** One way to tell a receiver. */
export interface Integration {
  /** `webhook`, `nats` or `console`, and its index among those of its receiver, such as `webhook[0]`. */
  readonly name: string;
  readonly sendResolved: boolean;
  /**
   * Makes one attempt. Rejects with TOC_NOTIFY_REFUSED where another would be no use, and with TOC_NOTIFY_FAILED otherwise;
   * the latter may be a `RetryAfter` that says when to come again. `id` is the same in each attempt.
   */
  send(id: string, notification: Notification, stop: AbortSignal): Promise<void>;
}
