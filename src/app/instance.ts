import { addAlertmanagerMetrics } from './alertmanager/metrics.ts';
import type { Logger } from './logger.ts';
import type { ApiPorts } from '../api/index.ts';
import { TocsinError, type Clock } from '../engine/index.ts';
import { openNatsLink } from './nats-link.ts';
import { ConfigInForce, type ConfigSource, type ReloadOutcome } from './config-in-force.ts';
import type { TocsinConfig } from './config-schema.ts';
import { Closing } from './closing.ts';
import { openDoor, type Door } from './door.ts';
import { createPartition } from './partition.ts';
import { createClusterDoors, viewOf } from './cluster-doors.ts';
import { addGauges } from './gauges.ts';
import { handOver } from './handover.ts';
import { clusterSettings, openStorage, type ClusterSettings } from './storage.ts';
import { openHistoryParts } from './history-parts.ts';
import { behind, createIngest, decodeSettings } from './ingest.ts';
import { createPipeline } from './pipeline.ts';
import { createReadModel } from './read-model.ts';
import { createLogClock } from './log-clock.ts';
import { startScorer } from './scorer.ts';
import { plainWeb, serveApi, type WebOptions } from './serve-api.ts';
import { createTelemetry } from './telemetry.ts';
import { version } from './version.ts';

export interface InstanceOptions extends ConfigSource {
  readonly web?: WebOptions;
  /** Where the API answers; without one, what the configuration says. It is closed with the instance. */
  readonly door?: Door;
  /** The other processes that share the log, null for none; without it, what the configuration says. */
  readonly cluster?: ClusterSettings | null;
  /** The history's engine is loaded so long after the start; until then rows wait. 0 loads it before anything is answered. */
  readonly historyDelayMs?: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Where console receivers print. */
  readonly print: (text: string) => void;
}

/** A running Tocsin: one partition on embedded adapters, with its API. */
export interface Instance {
  /** Where the API answers. */
  readonly url: string;
  readonly config: TocsinConfig;
  /** Resolves when a stage has failed and the partition stands still. */
  readonly failed: Promise<TocsinError>;
  /** Resolves when another process leads and this one must begin anew. */
  readonly outranked: Promise<unknown>;
  /** Loads the configuration file again; a file with mistakes changes nothing. */
  reload(): Promise<ReloadOutcome>;
  /** Takes nothing more in, finishes what is under way, writes a checkpoint and closes everything. */
  stop(): Promise<void>;
}

/**
 * Starts a process: everything that can fail is done before the API answers. Rejects with the coded error of what failed, after
 * closing what was open by then.
 */
export async function startInstance(options: InstanceOptions): Promise<Instance> {
  const closing = new Closing();
  try {
    return await openInstance(options, closing);
  } catch (error) {
    await closing.close();
    throw error;
  }
}

async function openInstance(options: InstanceOptions, closing: Closing): Promise<Instance> {
  const { logger, print, web = plainWeb } = options;
  const { door: givenDoor } = options;
  if (givenDoor) closing.defer(() => givenDoor.close());
  const inForce = await ConfigInForce.load(options, logger, () => options.clock.nowMs());
  const { config } = inForce;
  if (config.fleet) {
    const { openFleetInstance } = await import('./fleet/instance.ts');
    return openFleetInstance(options, inForce, closing);
  }
  const door = givenDoor ?? (await openDoor([config.server.listen]));
  if (!givenDoor) closing.defer(() => door.close());
  const clock = createLogClock(options.clock, logger);
  const startedAtMs = clock.nowMs();
  const telemetry = createTelemetry();
  closing.defer(() => telemetry.stop());

  const folder = config.storage.path;
  const settings = options.cluster === undefined ? await clusterSettings(config.cluster) : options.cluster;
  const running = startScorer(config);
  closing.defer(() => running.stop());
  const { log, store, cluster, handover } = await openStorage(folder, {
    settings,
    createPipeline: () => createPipeline({ scorer: running.scorer, withHistory: true }),
    closing,
    logger,
  });

  clock.advanceTo(log.lastTimeMs);
  const history = await openHistoryParts(config, folder, {
    logger,
    telemetry,
    delayMs: options.historyDelayMs ?? 0,
  });
  closing.defer(() => history.close());

  const nats = openNatsLink(config, (report) => ingest.accept(report), { closing, telemetry, logger });

  const partition = createPartition({
    config,
    templates: inForce.templates,
    log,
    store,
    history: { sink: history.writer, recall: history.recall },
    scorer: running.scorer,
    publisher: nats,
    print,
    clock,
    telemetry,
    logger,
    leads: cluster === null || cluster.role === 'leading',
    assertLeading: async () => cluster?.assertLeading(),
    assertStillLeading: async () => cluster?.assertLeading(),
  });
  const { fold, stages, owner, runner, carriers } = partition;
  const alone = {
    ingest: createIngest({
      append: (draft) => log.append(draft),
      clock,
      settings: () => decodeSettings(inForce.config),
      refusal: () => partition.failure ?? behind(owner.lagCount, config.storage.max_lag_entries),
      telemetry,
    }),
    commands: partition.commands,
  };
  const { ingest, commands } = cluster
    ? createClusterDoors({ cluster, log, owner, ...alone, nowMs: () => clock.nowMs() })
    : alone;

  closing.defer(() => owner.stop());
  closing.defer(async () => history.hurry());
  await owner.start();
  logger.info({ position: fold.position, alerts: stages.intake.size }, 'The log is folded in.');
  const lead = async (): Promise<void> => {
    await partition.lead(await inForce.payload());
    nats?.listen();
  };
  if (!cluster || cluster.role === 'leading') await lead();
  else
    void cluster.leading.then(lead).catch((error: unknown) => {
      // Another leads already, and this instance is about to begin anew.
      if (cluster.role !== 'leading') return;
      partition.fail(
        error instanceof TocsinError
          ? error
          : new TocsinError('TOC_PARTITION_FAILED', 'this process could not take over', { cause: error }),
      );
    });
  if (handover)
    void handOver(handover.known, { stages, ingest, commands, nowMs: () => clock.nowMs() })
      .then(() => handover.done())
      .catch((error: unknown) =>
        logger.warn(
          { err: error },
          'The leader was not told what only this process knew; it will be at the next start.',
        ),
      );

  addGauges(telemetry, { clock, stages, owner, fold, runner, carriers, history, cluster });

  const reload: Instance['reload'] = () =>
    inForce.reload(async ({ config: next, templates, payload }) => {
      carriers.configure(next, templates);
      if (!cluster || cluster.role === 'leading') await partition.configure(payload);
    });

  const read = createReadModel(stages, carriers);
  addAlertmanagerMetrics(telemetry, {
    partitions: () => [partition],
    reloads: () => inForce.reloads,
    configText: () => inForce.text,
    memberCount: () => cluster?.members.length ?? 1,
    startedAtMs,
    version,
    nowMs: () => clock.nowMs(),
  });
  const ports: ApiPorts = {
    read,
    ingest,
    commands,
    operations: {
      version,
      startedAtMs,
      cluster: () => (cluster ? viewOf(cluster) : web.cluster),
      alertmanagerVersion: web.alertmanagerVersion,
      configText: () => inForce.text,
      readiness: () => {
        if (partition.failure) return { isReady: false, troubles: [partition.failure] };
        if (cluster?.role !== 'seeking') return { isReady: true, troubles: [] };
        return {
          isReady: false,
          troubles: [{ code: 'TOC_CLUSTER_NO_LEADER', message: 'no member of the cluster leads' }],
        };
      },
      reload,
      metrics: () => telemetry.text(),
      nowMs: () => clock.nowMs(),
    },
  };
  closing.defer(await serveApi(ports, config, web, door));

  return {
    url: door.url,
    get config() {
      return inForce.config;
    },
    failed: partition.failed,
    outranked: cluster?.ended ?? new Promise(() => undefined),
    reload,
    stop: () => closing.close(),
  };
}
