import { stringify } from 'yaml';
import { readableConfig } from './shown-config.ts';
import { addAlertmanagerMetrics } from './alertmanager/metrics.ts';
import type { Logger } from './logger.ts';
import type { ApiPorts } from '../api/index.ts';
import { TocsinError, type Clock } from '../engine/index.ts';
import { openNats, type NatsPort } from '../source/index.ts';
import { loadConfig, requireConfig, type ConfigFiles } from './config-file.ts';
import type { TocsinConfig } from './config-schema.ts';
import { Closing } from './closing.ts';
import { openDoor, type Door } from './door.ts';
import { createPartition } from './partition.ts';
import { createClusterDoors, viewOf } from './cluster-doors.ts';
import { addGauges } from './gauges.ts';
import { handOver } from './handover.ts';
import { changedUntilRestart } from './restart-only.ts';
import { clusterSettings, openStorage, type ClusterSettings } from './storage.ts';
import { openHistoryParts } from './history-parts.ts';
import { behind, createIngest } from './ingest.ts';
import { createPipeline } from './pipeline.ts';
import { createReadModel } from './read-model.ts';
import { createSteadyClock } from './steady-clock.ts';
import { createConfigPayload, startScorer } from './scorer.ts';
import { plainWeb, serveApi, type WebOptions } from './serve-api.ts';
import { createTelemetry } from './telemetry.ts';
import { version } from './version.ts';

export interface InstanceOptions extends ConfigFiles {
  /** What the command line says against the configuration. */
  readonly override?: (config: TocsinConfig) => TocsinConfig;
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
  reload(): Promise<{ ok: true } | { ok: false; errors: readonly string[] }>;
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
  const { logger, print, web = plainWeb, override = (config) => config } = options;
  const { door: givenDoor } = options;
  if (givenDoor) closing.defer(() => givenDoor.close());
  let loaded = await requireConfig(options);
  let config = override(loaded.config);
  for (const warning of loaded.warnings) logger.warn(warning);
  const door = givenDoor ?? (await openDoor([config.server.listen]));
  if (!givenDoor) closing.defer(() => door.close());
  const clock = createSteadyClock(options.clock, {
    onStepBack: (aheadMs) =>
      logger.error(
        { aheadSeconds: Math.round(aheadMs / 1000) },
        "The machine's clock was set back. Log time goes on, ahead of it, until it has caught up; times of reports and silences are moved along.",
      ),
  });
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

  const nats: NatsPort | null = config.nats
    ? openNats(config.nats, (report) => ingest.accept(report), natsEvents(logger))
    : null;
  if (nats) {
    closing.defer(() => nats.close());
    telemetry.gauge('tocsin_nats_connected', '1 while a NATS server answers.', () =>
      nats.isConnected ? 1 : 0,
    );
  }

  const partition = createPartition({
    config,
    templates: loaded.templates,
    log,
    store,
    history,
    scorer: running.scorer,
    publisher: nats,
    print,
    clock,
    telemetry,
    logger,
    leads: cluster === null || cluster.role === 'leading',
    assertLeading: async () => cluster?.assertLeading(),
  });
  const { fold, stages, owner, runner, carriers } = partition;
  const alone = {
    ingest: createIngest({
      log,
      clock,
      settings: () => ({
        resolveTimeoutMs: config.global.resolve_timeout,
        defaultDomain: config.source.default_domain,
        domainLabel: config.source.domain_label,
      }),
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
    await partition.lead(await createConfigPayload(config, options.configFile));
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

  let shownText: string | null = null;
  const reloads = { isSuccessful: true, succeededMs: startedAtMs };
  const reload: Instance['reload'] = async () => {
    const outcome = await loadAgain();
    reloads.isSuccessful = outcome.ok;
    if (outcome.ok) reloads.succeededMs = clock.nowMs();
    else logger.error({ errors: outcome.errors }, 'The configuration was not loaded: it has mistakes.');
    return outcome;
  };
  const loadAgain: Instance['reload'] = async () => {
    const next = await loadConfig(options);
    if (!next.ok) return next;
    const nextConfig = override(next.config);
    try {
      const payload = await createConfigPayload(nextConfig, options.configFile);
      carriers.configure(nextConfig, next.templates);
      if (!cluster || cluster.role === 'leading') await partition.configure(payload);
    } catch (error) {
      if (error instanceof TocsinError) return { ok: false, errors: [error.message] };
      throw error;
    }
    const later = changedUntilRestart(config, nextConfig);
    if (later.length > 0)
      logger.warn({ settings: later }, 'These settings have changed and take effect with the next start.');
    config = nextConfig;
    loaded = next;
    shownText = null;
    for (const warning of next.warnings) logger.warn(warning);
    logger.info('The configuration was loaded again.');
    return { ok: true };
  };

  const read = createReadModel(stages);
  const configText = (): string =>
    (shownText ??= loaded.alertmanagerText ?? stringify(readableConfig(config)));
  addAlertmanagerMetrics(telemetry, {
    stages,
    integrations: () => carriers.integrations(),
    reloads,
    configText,
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
      configText,
      integrations: () => carriers.integrations(),
      notReadyBecause: () =>
        partition.failure?.message ?? (cluster?.role === 'seeking' ? 'no member of the cluster leads' : null),
      reload,
      metrics: () => telemetry.text(),
      nowMs: () => clock.nowMs(),
    },
  };
  closing.defer(await serveApi(ports, config, web, door));

  return {
    url: door.url,
    get config() {
      return config;
    },
    failed: partition.failed,
    outranked: cluster?.ended ?? new Promise(() => undefined),
    reload,
    stop: () => closing.close(),
  };
}

function natsEvents(logger: Logger): Parameters<typeof openNats>[2] {
  return {
    onTrouble: ({ code, message }) =>
      logger.warn({ code }, `${message}; everything else goes on, and it is tried again.`),
    onConnected: () => logger.info('A NATS server answers.'),
  };
}
