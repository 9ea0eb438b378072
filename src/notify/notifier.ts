import { fingerprint } from '../alert/index.ts';
import { TocsinError, type Clock, type Effect, type ErrorCode } from '../engine/index.ts';
import type { Notification, NotifyEffect } from '../incident/index.ts';
import { defaultTemplates, type Templates } from '../template/index.ts';
import { Circuit, type CircuitState, type CircuitView } from './circuit.ts';
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
  /** For all attempts of one page together; unless said, until the group's next flush is due. */
  readonly deadlineMs?: number;
  readonly clock: Clock;
  /** Asked before each attempt. Rejects with TOC_LOG_FENCED where another process is the one to send by now. */
  readonly assertStillLeading?: () => Promise<void>;
  /** Called when an integration is given up for the moment, is tried again, or takes pages again. */
  readonly onCircuit?: (change: CircuitChange) => void;
  readonly shared?: SharedConfig;
}

export interface CircuitChange {
  readonly receiver: string;
  readonly integration: string;
  readonly state: CircuitState;
  readonly lastError: string | null;
}

/** How an integration takes its pages. */
export interface IntegrationView extends CircuitView {
  readonly receiver: string;
  readonly integration: string;
  /** Pages that it took, and that it did not take in the end, since the process began. */
  readonly deliveredCount: number;
  readonly failedCount: number;
}

interface DeliveryRecord {
  readonly circuit: Circuit;
  deliveredCount: number;
  failedCount: number;
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

/** As Alertmanager gives a notification at least (notify/notify.go, `MinTimeout`). */
const leastDeadlineMs = 10_000;
/** What Node's timers take. */
const longestTimerMs = 2_147_483_647;
const never = new AbortController().signal;

/** Carries pages to the integrations of their receivers. */
export class Notifier {
  readonly #options: NotifierOptions;
  #integrations: ReadonlyMap<string, readonly Integration[]>;
  /** By receiver and integration; they outlive a reload. */
  readonly #records = new Map<string, DeliveryRecord>();
  /** Those that were let through before their turn to be carried out. */
  readonly #admitted = new WeakSet<Effect>();

  constructor(receivers: ReceiversConfig, options: NotifierOptions) {
    this.#options = options;
    this.#integrations = this.#build(receivers, options.shared);
  }

  /** Uses other receivers from the next page on. Throws TOC_CONFIG_INVALID, and changes nothing, when they cannot be built. */
  configure(receivers: ReceiversConfig, shared: SharedConfig = {}): void {
    this.#integrations = this.#build(receivers, shared);
  }

  /** How each integration takes its pages, in the order of the configuration. */
  integrations(): IntegrationView[] {
    return [...this.#integrations].flatMap(([receiver, integrations]) =>
      integrations.map(({ name }) => {
        const { circuit, deliveredCount, failedCount } = this.#record(receiver, name);
        return { receiver, integration: name, deliveredCount, failedCount, ...circuit.view };
      }),
    );
  }

  /** Whether the page may be sent twice under its id: all that it is for tell that they have it already. */
  isIdempotent(effect: Effect): boolean {
    const { receiver, integration } = (effect as NotifyEffect).payload;
    const meant = this.#integrations.get(receiver) ?? [];
    return meant.every(({ name, isIdempotent = false }) => isIdempotent || (integration ?? name) !== name);
  }

  /** Resolves when the integration that the page is for takes pages; at once where it is for several. */
  async admit(effect: Effect, stop: AbortSignal): Promise<void> {
    const { receiver, integration } = (effect as NotifyEffect).payload;
    if (integration === null) return;
    await this.#record(receiver, integration).circuit.admit(stop);
    this.#admitted.add(effect);
  }

  /**
   * Tells the integration that is meant, or every one of the page's receiver, all at once and each for itself. When one was not told in the end it rejects, and
   * those that were told are remembered: with TOC_NOTIFY_REFUSED when all that failed refused for good, else with TOC_NOTIFY_FAILED. With
   * TOC_LOG_FENCED when another process is the one to send by now.
   */
  async carryOut(effect: Effect, stop: AbortSignal, outdated = never): Promise<NotifyResult> {
    const { payload } = effect as NotifyEffect;
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
      wanted.map(({ integration, notification }) =>
        this.#deliver(integration, effect, notification, { stop, outdated }),
      ),
    );
    stop.throwIfAborted();
    throwIf('TOC_LOG_FENCED', outcomes);
    if (outdated.aborted) throwIf('TOC_EFFECT_SUPERSEDED', outcomes);
    for (const [index, { status }] of outcomes.entries()) {
      const record = this.#record(payload.receiver, wanted[index]!.integration.name);
      if (status === 'fulfilled') record.deliveredCount++;
      else record.failedCount++;
    }
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
    effect: Effect,
    notification: Notification,
    { stop, outdated }: { readonly stop: AbortSignal; readonly outdated: AbortSignal },
  ): Promise<void> {
    const {
      deliveries,
      attempts,
      firstWaitMs,
      longestWaitMs,
      assertStillLeading,
      deadlineMs = Math.min(Math.max(leastDeadlineMs, notification.retryForMs), longestTimerMs),
    } = this.#options;
    const { id } = effect;
    const deliveryId = `${id}#${integration.name}`;
    // What is for one integration alone is known to have ended or not by its own id.
    const isShared = (effect as NotifyEffect).payload.integration === null;
    if (isShared && (await deliveries.isDelivered(deliveryId))) return;
    const { circuit } = this.#record(notification.receiver, integration.name);
    let isAdmitted = this.#admitted.delete(effect);
    const attempt = async (signal: AbortSignal): Promise<void> => {
      if (!isAdmitted) await admitUnlessOutdated(circuit, signal, outdated);
      isAdmitted = false;
      await assertStillLeading?.();
      try {
        await integration.send(id, notification, signal);
        circuit.succeeded();
      } catch (error) {
        noteFailure(circuit, error, stop);
        throw error;
      }
    };
    await retry(attempt, {
      attempts,
      firstWaitMs,
      longestWaitMs,
      deadlineMs,
      stop,
    });
    // What was delivered was, even where that cannot be written down: the outcome of the page is what counts.
    if (isShared) await deliveries.remember(deliveryId).catch(() => undefined);
  }

  #record(receiver: string, integration: string): DeliveryRecord {
    const key = JSON.stringify([receiver, integration]);
    let record = this.#records.get(key);
    if (!record) {
      const { clock, onCircuit } = this.#options;
      const circuit = new Circuit({
        clock,
        onChange: (state, lastError) => onCircuit?.({ receiver, integration, state, lastError }),
      });
      record = { circuit, deliveredCount: 0, failedCount: 0 };
      this.#records.set(key, record);
    }
    return record;
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

/** Rejects with TOC_EFFECT_SUPERSEDED when a later page about the same comes meanwhile. */
async function admitUnlessOutdated(
  circuit: Circuit,
  signal: AbortSignal,
  outdated: AbortSignal,
): Promise<void> {
  try {
    await circuit.admit(AbortSignal.any([signal, outdated]));
  } catch (error) {
    if (!outdated.aborted || signal.aborted) throw error;
    throw new TocsinError('TOC_EFFECT_SUPERSEDED', 'a later page about the same says it all');
  }
}

/** A refusal is an answer too. What was cut off by a stop says nothing of the receiver. */
function noteFailure(circuit: Circuit, error: unknown, stop: AbortSignal): void {
  if (stop.aborted) return;
  if (!(error instanceof TocsinError)) circuit.failed('it could not be sent');
  else if (error.retryable) circuit.failed(error.message);
  else circuit.succeeded();
}

/** Throws what one of them rejected with under this code. */
function throwIf(code: ErrorCode, outcomes: readonly PromiseSettledResult<void>[]): void {
  for (const outcome of outcomes) {
    if (outcome.status === 'fulfilled' || !(outcome.reason instanceof TocsinError)) continue;
    if (outcome.reason.code === code) throw outcome.reason;
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
