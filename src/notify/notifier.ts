import { fingerprint } from '../alert/index.ts';
import { TocsinError, type Effect } from '../engine/index.ts';
import type { Notification, NotifyEffect } from '../incident/index.ts';
import { defaultTemplates, type Templates } from '../template/index.ts';
import type { ReceiversConfig } from './config.ts';
import { notifyGlobals, type ReceiverGlobals } from './config-global.ts';
import { notificationFor, type Integration } from './integration.ts';
import { buildIntegrations } from './integrations.ts';
import type { Publisher } from './nats.ts';
import { retry } from './retry.ts';

/** Remembers which integrations of a page have been told, so that trying the page again tells each once. */
export interface DeliveryMemory {
  isDelivered(id: string): Promise<boolean>;
  remember(id: string): Promise<void>;
}

export interface NotifierOptions {
  readonly deliveries: DeliveryMemory;
  /** Null where no NATS server is configured. */
  readonly publisher: Publisher | null;
  readonly print: (text: string) => void;
  readonly externalUrl: string;
  /** How often an integration is tried for one page. */
  readonly attempts: number;
  readonly firstWaitMs: number;
  readonly longestWaitMs: number;
  /** For all attempts of one page together; two minutes unless said otherwise. */
  readonly deadlineMs?: number;
  readonly shared?: SharedConfig;
}

/** What all receivers share. Alertmanager's defaults where it is not given. */
export interface SharedConfig {
  readonly globals?: ReceiverGlobals;
  readonly templates?: Templates | undefined;
}

/** What the fact of a page says. */
export interface NotifyResult {
  /** The integrations that were told, now or before a crash. */
  readonly delivered: readonly string[];
}

/** Pages that one integration is sent at the same time. */
const lanesPerIntegration = 64;

/**
 * Pages of one group go to an integration in order. Integrations do not wait for each other, nor do groups: of those that share an
 * integration only every 64th shares a lane, so that one page which is not taken holds few others up, and a receiver that is dead costs
 * no more than 64 connections.
 */
export function laneOf(effect: Effect): string {
  if (effect.kind !== 'notify') return `${effect.kind}/${effect.id}`;
  const { receiver, integration, groupKey } = (effect as NotifyEffect).payload;
  const lane = parseInt(fingerprint([groupKey, '']).slice(-8), 16) % lanesPerIntegration;
  return `notify/${receiver}/${integration ?? ''}/${lane}`;
}

/** Of two pages that one integration gets of a group the later says it all. */
export function subjectOf(effect: Effect): string | null {
  if (effect.kind !== 'notify') return null;
  const { receiver, integration, groupKey } = (effect as NotifyEffect).payload;
  return JSON.stringify([receiver, integration, groupKey]);
}

const defaultDeadlineMs = 120_000;

/** Carries pages to the integrations of their receivers. */
export class Notifier {
  readonly #options: NotifierOptions;
  #integrations: ReadonlyMap<string, readonly Integration[]>;

  constructor(receivers: ReceiversConfig, options: NotifierOptions) {
    this.#options = options;
    this.#integrations = this.#build(receivers, options.shared);
  }

  /** Uses other receivers from the next page on. Throws TOC_CONFIG_INVALID, and changes nothing, when they cannot be built. */
  configure(receivers: ReceiversConfig, shared: SharedConfig = {}): void {
    this.#integrations = this.#build(receivers, shared);
  }

  /**
   * Tells the integration that is meant, or every one of the page's receiver, all at once and each for itself. When one was not told in the end it rejects, and
   * those that were told are remembered: with TOC_NOTIFY_REFUSED when all that failed refused for good, else with TOC_NOTIFY_FAILED.
   */
  async carryOut(effect: Effect, stop: AbortSignal): Promise<NotifyResult> {
    const { id, payload } = effect as NotifyEffect;
    const integrations = this.#integrations.get(payload.receiver);
    if (!integrations)
      throw new TocsinError('TOC_NOTIFY_REFUSED', `there is no receiver ${payload.receiver} any more`);
    const meant = integrations.filter(
      ({ name }) => payload.integration === null || name === payload.integration,
    );
    if (meant.length === 0 && payload.integration !== null) {
      const where = `receiver ${payload.receiver}`;
      throw new TocsinError(
        'TOC_NOTIFY_REFUSED',
        `${where} has no integration ${payload.integration} any more`,
      );
    }
    const wanted = meant.flatMap((integration) => {
      const notification = notificationFor(integration, payload);
      return notification ? [{ integration, notification }] : [];
    });
    const outcomes = await Promise.allSettled(
      wanted.map(({ integration, notification }) => this.#deliver(integration, id, notification, stop)),
    );
    stop.throwIfAborted();
    const failures = outcomes.flatMap((outcome, index) =>
      outcome.status === 'rejected'
        ? [{ name: wanted[index]?.integration.name ?? '', reason: outcome.reason as unknown }]
        : [],
    );
    if (failures.length > 0) throw failureOf(payload.receiver, failures, wanted.length);
    return { delivered: wanted.map(({ integration }) => integration.name) };
  }

  async #deliver(
    integration: Integration,
    id: string,
    notification: Notification,
    stop: AbortSignal,
  ): Promise<void> {
    const {
      deliveries,
      attempts,
      firstWaitMs,
      longestWaitMs,
      deadlineMs = defaultDeadlineMs,
    } = this.#options;
    const deliveryId = `${id}#${integration.name}`;
    if (await deliveries.isDelivered(deliveryId)) return;
    await retry((signal) => integration.send(id, notification, signal), {
      attempts,
      firstWaitMs,
      longestWaitMs,
      deadlineMs,
      stop,
    });
    // What was delivered was, even where that cannot be written down: the outcome of the page is what counts.
    await deliveries.remember(deliveryId).catch(() => undefined);
  }

  #build(receivers: ReceiversConfig, shared: SharedConfig = {}): ReadonlyMap<string, readonly Integration[]> {
    const { publisher, print, externalUrl } = this.#options;
    const options = {
      publisher,
      print,
      externalUrl,
      globals: shared.globals ?? notifyGlobals.parse({}),
      /** Not read before somebody needs them. */
      get templates() {
        return shared.templates ?? defaultTemplates();
      },
    };
    return new Map(receivers.map((receiver) => [receiver.name, buildIntegrations(receiver, options)]));
  }
}

function failureOf(
  receiver: string,
  failures: readonly { readonly name: string; readonly reason: unknown }[],
  wantedCount: number,
): TocsinError {
  const isRefused = failures.every(({ reason }) => reason instanceof TocsinError && !reason.retryable);
  const details = failures.map(({ name, reason }) =>
    reason instanceof TocsinError ? `${name}: ${reason.message}` : name,
  );
  const told =
    wantedCount === 1 ? '' : `${wantedCount - failures.length} of ${wantedCount} integrations told; `;
  return new TocsinError(
    isRefused ? 'TOC_NOTIFY_REFUSED' : 'TOC_NOTIFY_FAILED',
    `receiver ${receiver}: ${told}${details.join('; ')}`,
    { cause: failures[0]?.reason },
  );
}
