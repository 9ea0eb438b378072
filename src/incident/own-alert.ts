import type { Alert } from '../alert/index.ts';
import type { Effect } from '../engine/index.ts';

/**
 * An alert that Tocsin raises about itself. Stages cannot put anything into the log; the effect is carried out by appending the alert,
 * which then goes the way of all alerts. Sent twice it is a repeat.
 */
export type OwnAlertEffect = Effect<'own-alert', OwnAlert>;

/** Without what only its coming into the log makes it. */
export type OwnAlert = Omit<Alert, 'receivedAtMs' | 'fingerprint'>;
