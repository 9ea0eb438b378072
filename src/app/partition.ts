import { isDeepStrictEqual } from 'node:util';
import { fingerprint } from '../alert/index.ts';
import type { CommandGate } from '../api/index.ts';
import {
  isOutrun,
  PartitionOwner,
  TocsinError,
  type EffectRunner,
  type HistorySink,
} from '../engine/index.ts';
import type { ConfigEntry, Flow, LogEntry } from '../incident/index.ts';
import type { PartitionLog, Snapshots } from '../log/index.ts';
import type { MatrixScorer } from '../score/index.ts';
import type { PartitionStore } from '../store/index.ts';
import type { Templates } from '../template/index.ts';
import type { TocsinConfig } from './config-schema.ts';
import { countFrames } from './count-frames.ts';
import { createCarriers, createRunner, type Carriers, type CarrierOptions } from './effects.ts';
import { createCommandGate } from './gate.ts';
import type { HistoryParts } from './history-parts.ts';
import type { Logger } from './logger.ts';
import { createPipeline, type Pipeline } from './pipeline.ts';
import { Retention, SnapshotRetention, type RetentionOptions } from './retention.ts';
import type { SteadyClock } from './steady-clock.ts';
import type { Telemetry } from './telemetry.ts';

export interface PartitionOptions {
  /** What ids have in them where there are other partitions. */
  readonly scope?: string;
  readonly config: TocsinConfig;
  readonly templates: Templates | undefined;
  readonly log: PartitionLog<LogEntry>;
  readonly store: PartitionStore;
  /** Beside a log that many processes share; absent where the store loses nothing. */
  readonly snapshots?: Snapshots;
  readonly history: Pick<HistoryParts, 'recall'> & { readonly sink: HistorySink | null };
  readonly scorer: MatrixScorer;
  readonly publisher: CarrierOptions['publisher'];
  /** Where console receivers print. */
  readonly print: (text: string) => void;
  readonly clock: SteadyClock;
  readonly telemetry: Telemetry;
  readonly logger: Logger;
  /** Whether this process acts on the log from the start; else from `lead` on. */
  readonly leads: boolean;
  /** Rejects while another process is the one to act. Asked before each claim of an effect. */
  readonly assertLeading: () => Promise<void>;
  /** The same, asked before each attempt to carry an effect out that was claimed. */
  readonly assertStillLeading: () => Promise<void>;
}

/** One partition as this process folds it, with what carries its effects out. */
export interface Partition extends Pipeline {
  readonly owner: PartitionOwner<LogEntry, Flow>;
  readonly runner: EffectRunner;
  readonly carriers: Carriers;
  readonly commands: CommandGate;
  /** Why it stands still, or null. */
  readonly failure: TocsinError | null;
  /** Resolves when it stands still. */
  readonly failed: Promise<TocsinError>;
  /** Lets it stand still. */
  fail(error: TocsinError): void;
  /** Acts on the log from now on, under this configuration. To be called after `owner.start`; see `PartitionOwner.lead`. */
  lead(config: ConfigEntry['payload'], followedUntilMs?: number): Promise<void>;
  /** Appends the configuration, and waits until it is applied. */
  configure(config: ConfigEntry['payload']): Promise<void>;
}

const tick = (timeMs: number): LogEntry => ({ kind: 'tick', timeMs, payload: null });
const resume = (timeMs: number, atMs: number): LogEntry => ({ kind: 'resume', timeMs, payload: { atMs } });

/** Puts the parts of a partition together. Nothing is read or written before `owner.start`. */
export function createPartition({
  scope = '',
  config,
  templates,
  log,
  store,
  snapshots,
  history,
  scorer,
  publisher,
  print,
  clock,
  telemetry,
  logger,
  leads,
  assertLeading,
  assertStillLeading,
}: PartitionOptions): Partition {
  const { fold, stages } = createPipeline({ scorer, withHistory: history.sink !== null, scope });
  const { promise: failed, resolve: tell } = Promise.withResolvers<TocsinError>();
  let failure: TocsinError | null = null;
  const fail = (error: TocsinError): void => {
    if (failure) return;
    failure = error;
    logger.error({ code: error.code, err: error.cause }, error.message);
    tell(error);
  };
  const carriers = createCarriers({
    config,
    templates,
    store,
    publisher,
    print,
    history,
    appendAlert: async (alert) => {
      const timeMs = clock.nowMs();
      const payload = [{ ...alert, fingerprint: fingerprint(alert.labels), receivedAtMs: timeMs }];
      await log.append({ kind: 'alerts', timeMs, payload });
    },
    clock,
    assertStillLeading,
    logger,
  });
  const runner = createRunner({
    carriers,
    store,
    clock,
    appendClaim: async (payload) =>
      void (await log.append({ kind: 'claim', timeMs: clock.nowMs(), payload })),
    appendFact: async (payload) => void (await log.append({ kind: 'fact', timeMs: clock.nowMs(), payload })),
    assertLeading,
    logger,
  });
  const retained: RetentionOptions = {
    log,
    store,
    retentionMs: config.storage.log_retention,
    onError: (error) =>
      logger.warn(
        { err: error },
        'Old log entries could not be removed; they will be with the next cleaning.',
      ),
  };
  const snapshotRetention = snapshots && new SnapshotRetention({ ...retained, snapshots });
  const retention = snapshotRetention ?? new Retention(retained);
  const owner = new PartitionOwner<LogEntry, Flow>({
    fold,
    log,
    store,
    snapshots: snapshotRetention,
    runner,
    sink: history.sink,
    clock,
    createTick: tick,
    createResume: resume,
    leads,
    checkpointIntervalMs: config.storage.checkpoint_interval,
    onFrames: (frames) => countFrames(frames, telemetry),
    onFailure: fail,
    onCheckpoint: (position, timeMs) => retention.note(position, timeMs),
    onCheckpointError(error) {
      if (error instanceof TocsinError && isOutrun(error)) return;
      logger.warn({ err: error }, 'A checkpoint could not be written; it will be written with the next one.');
    },
  });
  const configure = async (payload: ConfigEntry['payload']): Promise<void> => {
    const { position } = await log.append({ kind: 'config', timeMs: clock.nowMs(), payload });
    await owner.applied(position);
  };
  return {
    fold,
    stages,
    owner,
    runner,
    carriers,
    commands: createCommandGate({ log, owner, answers: stages.answers, clock }),
    get failure() {
      return failure;
    },
    failed,
    fail,
    configure,
    async lead(payload, followedUntilMs) {
      clock.advanceTo(log.lastTimeMs);
      await owner.lead(followedUntilMs);
      if (!isDeepStrictEqual(fold.config?.payload, payload)) await configure(payload);
    },
  };
}
