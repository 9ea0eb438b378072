import { TocsinError, type Effect } from '../engine/index.ts';
import type { NotifyEffect } from '../incident/index.ts';
import type { ReceiverConfig, ReceiversConfig } from './config.ts';
import { createConsole } from './console.ts';
import type { Integration } from './integration.ts';
import { createNatsIntegration, type Publisher } from './nats.ts';
import { retry } from './retry.ts';
import { createWebhook } from './webhook.ts';

/** Remembers which integrations of a page have been told, so that trying the page again tells each once. */
export interface DeliveryMemory {
  isDelivered(id: string): Promise<boolean>;
  remember(id: string): Promise<void>;
}

export interface NotifierOptions {
  readonly deliveries: DeliveryMemory;
  readonly publisher: Publisher | null;
  readonly print: (text: string) => void;
  readonly externalUrl: string;
  readonly attempts: number;
  readonly firstWaitMs: number;
  readonly longestWaitMs: number;
}

/** What the fact of a page says. */
export interface NotifyResult {
  /** The integrations that were told. */
  readonly delivered: readonly string[];
}

/** Pages of one receiver go in order; receivers do not wait for each other. */
export function laneOf(effect: Effect): string {
  return effect.kind === 'notify'
    ? `notify/${(effect as NotifyEffect).payload.receiver}`
    : `${effect.kind}/${effect.id}`;
}

/** Carries pages to the integrations of their receivers. */
export class Notifier {
  readonly #options: NotifierOptions;
  #integrations: ReadonlyMap<string, readonly Integration[]>;

  constructor(receivers: ReceiversConfig, options: NotifierOptions) {
    this.#options = options;
    this.#integrations = this.#build(receivers);
  }

  /** Uses other receivers from the next page on. */
  configure(receivers: ReceiversConfig): void {
    this.#integrations = this.#build(receivers);
  }

  /**
   * Tells every integration of the page's receiver. Rejects with TOC_NOTIFY_FAILED or TOC_NOTIFY_REFUSED when one was not told in the end;
   * the others have been.
   */
  async carryOut(effect: Effect, stop: AbortSignal): Promise<NotifyResult> {
    const { id, payload } = effect as NotifyEffect;
    const integrations = this.#integrations.get(payload.receiver);
    if (!integrations)
      throw new TocsinError('TOC_NOTIFY_REFUSED', `there is no receiver ${payload.receiver} any more`);
    const wanted = integrations.filter(({ sendResolved }) => sendResolved || payload.status === 'firing');
    const outcomes = await Promise.allSettled(
      wanted.map((integration) => this.#deliver(integration, id, payload, stop)),
    );
    const failure = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failure) throw failure.reason;
    return { delivered: wanted.map(({ name }) => name) };
  }

  async #deliver(
    integration: Integration,
    id: string,
    payload: NotifyEffect['payload'],
    stop: AbortSignal,
  ): Promise<void> {
    const { deliveries, attempts, firstWaitMs, longestWaitMs } = this.#options;
    const deliveryId = `${id}#${integration.name}`;
    if (await deliveries.isDelivered(deliveryId)) return;
    await retry(() => integration.send(id, payload, stop), { attempts, firstWaitMs, longestWaitMs, stop });
    await deliveries.remember(deliveryId);
  }

  #build(receivers: ReceiversConfig): ReadonlyMap<string, readonly Integration[]> {
    return new Map(receivers.map((receiver) => [receiver.name, this.#integrationsOf(receiver)]));
  }

  #integrationsOf(receiver: ReceiverConfig): Integration[] {
    const { publisher, print, externalUrl } = this.#options;
    return [
      ...receiver.webhook_configs.map((config, index) =>
        createWebhook({ name: `webhook[${index}]`, config, externalUrl }),
      ),
      ...receiver.nats_configs.map((config, index) => {
        if (!publisher)
          throw new TocsinError(
            'TOC_CONFIG_INVALID',
            `receiver ${receiver.name} publishes to NATS, but no nats.servers are configured`,
          );
        return createNatsIntegration(`nats[${index}]`, config, publisher);
      }),
      ...receiver.console_configs.map((config, index) =>
        createConsole(`console[${index}]`, config.send_resolved, print),
      ),
    ];
  }
}
