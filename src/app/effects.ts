import type { Logger } from './logger.ts';
import {
  EffectRunner,
  isOutrun,
  TocsinError,
  type Claim,
  type Clock,
  type Effect,
  type Fact,
} from '../engine/index.ts';
import {
  laneOf,
  Notifier,
  subjectOf,
  type CircuitChange,
  type IntegrationView,
  type Publisher,
} from '../notify/index.ts';
import { carryOutHttpStep } from '../runbook/index.ts';
import type { OwnAlertEffect } from '../incident/index.ts';
import type { PartitionStore } from '../store/index.ts';
import type { Templates } from '../template/index.ts';
import type { TocsinConfig } from './config-schema.ts';
import type { HistoryParts } from './history-parts.ts';

export interface CarrierOptions {
  readonly config: TocsinConfig;
  /** Undefined where the configuration names none: then the default ones. */
  readonly templates: Templates | undefined;
  readonly store: PartitionStore;
  readonly publisher: Publisher | null;
  readonly print: (text: string) => void;
  readonly history: Pick<HistoryParts, 'recall'>;
  /** Puts an alert about Tocsin itself into the log. */
  readonly appendAlert: (alert: OwnAlertEffect['payload']) => Promise<void>;
  readonly clock: Clock;
  /** Rejects while another process is the one to act. */
  readonly assertStillLeading: () => Promise<void>;
  readonly logger: Logger;
}

/** What carries effects out, by kind. */
export interface Carriers {
  readonly byKind: ConstructorParameters<typeof EffectRunner>[0]['carriers'];
  /** Resolves when the effect may be tried. */
  admit(effect: Effect, stop: AbortSignal): Promise<void>;
  /** What becomes of an effect of which nobody knows whether it was carried out. */
  onUncertain(effect: Effect): 'repeat' | 'leave';
  /** How each integration takes its pages. */
  integrations(): readonly IntegrationView[];
  /** Uses other receivers from now on. Throws TOC_CONFIG_INVALID, and changes nothing, when they cannot be built. */
  configure(config: TocsinConfig, templates: Templates | undefined): void;
}

const notifyFirstWaitMs = 500;
const notifyLongestWaitMs = 15_000;

export function createCarriers({
  config,
  templates,
  store,
  publisher,
  print,
  history,
  appendAlert,
  clock,
  assertStillLeading,
  logger,
}: CarrierOptions): Carriers {
  const notifier = new Notifier(config.receivers, {
    deliveries: {
      isDelivered: async (id) => (await store.outcomeOf(id)) !== undefined,
      remember: (id) => store.record(id, { status: 'done', result: null }, clock.nowMs()),
    },
    publisher,
    print,
    externalUrl: config.server.external_url ?? `http://${config.server.listen}`,
    attempts: Infinity,
    firstWaitMs: notifyFirstWaitMs,
    longestWaitMs: notifyLongestWaitMs,
    clock,
    assertStillLeading,
    onCircuit: (change) => tellCircuit(change, logger),
    shared: { globals: config.global, templates },
  });
  let settings = config;
  return {
    byKind: {
      notify: (effect, stop, outdated) => notifier.carryOut(effect, stop, outdated),
      recall: history.recall,
      'http-step': carryOutHttpStep,
      'own-alert': async (effect) => {
        await appendAlert((effect as OwnAlertEffect).payload);
        return null;
      },
    },
    admit: async (effect, stop) => (effect.kind === 'notify' ? notifier.admit(effect, stop) : undefined),
    onUncertain: (effect) => {
      // An alert that comes twice is a repeat.
      if (effect.kind === 'own-alert') return 'repeat';
      if (effect.kind === 'http-step') return settings.runbooks.uncertain_steps;
      const isSentAgain = notifier.isIdempotent(effect) || settings.dispatch.uncertain_pages === 'resend';
      return isSentAgain ? 'repeat' : 'leave';
    },
    integrations: () => notifier.integrations(),
    configure(next, templates) {
      notifier.configure(next.receivers, { globals: next.global, templates });
      settings = next;
    },
  };
}

function tellCircuit({ state, ...fields }: CircuitChange, logger: Logger): void {
  if (state === 'open')
    logger.warn(fields, 'A receiver does not take pages; they wait, and it is tried again after a while.');
  if (state === 'closed') logger.info(fields, 'A receiver takes pages again; those that waited are sent.');
}

export interface RunnerOptions {
  readonly carriers: Carriers;
  readonly store: PartitionStore;
  readonly clock: Clock;
  readonly appendClaim: (claim: Claim) => Promise<void>;
  readonly appendFact: (fact: Fact) => Promise<void>;
  /** Rejects while another process is the one to act. Asked before each effect. */
  readonly assertLeading: () => Promise<void>;
  readonly logger: Logger;
}

export function createRunner({
  carriers,
  store,
  clock,
  appendClaim,
  appendFact,
  assertLeading,
  logger,
}: RunnerOptions): EffectRunner {
  return new EffectRunner({
    carriers: carriers.byKind,
    laneOf,
    subjectOf,
    admit: (effect, stop) => carriers.admit(effect, stop),
    deliveries: {
      outcomeOf: (effectId) => store.outcomeOf(effectId),
      record: (effectId, outcome, atMs) => store.record(effectId, outcome, atMs),
    },
    repeatableKinds: new Set(['recall', 'own-alert']),
    async appendClaim(claim) {
      await assertLeading();
      await appendClaim(claim);
    },
    onUncertain: (effect) => carriers.onUncertain(effect),
    appendFact,
    clock,
    onOutcome: ({ effectId, kind, outcome }) => {
      if (outcome.status !== 'failed') return;
      const { code, message } = outcome;
      // What a later page says better is lost to nobody.
      logger[code === 'TOC_EFFECT_SUPERSEDED' ? 'debug' : 'warn']({ effectId, kind, code }, message);
    },
    onUnrecorded({ id }, error) {
      // The partition is given up in the same moment, which is told once.
      if (error instanceof TocsinError && isOutrun(error)) return;
      logger.error({ effectId: id, err: error }, 'The outcome of an effect could not be recorded.');
    },
  });
}
