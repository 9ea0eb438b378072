import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { ApiPorts, IntegrationState, Operations } from '../../api/index.ts';
import type { TocsinError } from '../../engine/index.ts';
import type { LogEntry } from '../../incident/index.ts';
import { openJetStreamWriter, type JetStreamLogOptions } from '../../log/index.ts';
import { closeNats, connectNats, openQuestions, watchConnection } from '../../nats/index.ts';
import { lockFolder } from '../../store/index.ts';
import { addAlertmanagerMetrics } from '../alertmanager/metrics.ts';
import type { Closing } from '../closing.ts';
import type { TocsinConfig } from '../config-schema.ts';
import type { ConfigInForce } from '../config-in-force.ts';
import { openDoor } from '../door.ts';
import { entryCodec } from '../entry-codec.ts';
import { createIngest, decodeSettings } from '../ingest.ts';
import type { Instance, InstanceOptions } from '../instance.ts';
import { createLogClock } from '../log-clock.ts';
import type { Logger } from '../logger.ts';
import { openNatsLink } from '../nats-link.ts';
import type { Partition } from '../partition.ts';
import { plainWeb, serveApi } from '../serve-api.ts';
import { createTelemetry } from '../telemetry.ts';
import { version } from '../version.ts';
import { askPartition } from './ask.ts';
import { createFleetCommands } from './commands.ts';
import type { FleetConfig } from './config.ts';
import { addFleetGauges } from './gauges.ts';
import { mergeIntegrations } from './merge-integrations.ts';
import { openOwnership } from './ownership.ts';
import { createFleetRead } from './read.ts';
import { fleetReadiness } from './readiness.ts';
import { replicaWarning } from './replica-warning.ts';
import { openAll } from './open-all.ts';
import { appendByDomain } from './router.ts';
import { watchWriters } from './watched-writers.ts';

/**
 * A process of a fleet: takes reports in, answers for all partitions, and owns its share of them where it has that role. Rejects with the
 * coded error of what failed: TOC_NATS_UNAVAILABLE, TOC_LOG_UNAVAILABLE, TOC_STORE_UNAVAILABLE, TOC_STORE_LOCKED, TOC_LISTEN_FAILED.
 */
export async function openFleetInstance(
  options: InstanceOptions,
  inForce: ConfigInForce,
  closing: Closing,
): Promise<Instance> {
  const { logger, web = plainWeb } = options;
  const { config } = inForce;
  const fleet = config.fleet!;
  const door = options.door ?? (await openDoor([config.server.listen]));
  if (!options.door) closing.defer(() => door.close());
  const clock = createLogClock(options.clock, logger);
  const startedAtMs = clock.nowMs();
  const telemetry = createTelemetry();
  closing.defer(() => telemetry.stop());
  const lock = await lockFolder(config.storage.path);
  closing.defer(() => lock.release());

  const self = `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`;
  const connection = await connectNats(fleet.log, `tocsin ${self}`);
  closing.defer(() => closeNats(connection));
  const reach = watchConnection(connection);
  const warning = replicaWarning(fleet.log.replicas, connection.info?.version);
  if (warning !== null) logger.warn(warning);
  const logOptions = (partition: number): JetStreamLogOptions<LogEntry> => ({
    connection,
    prefix: fleet.log.prefix,
    partition,
    partitionCount: fleet.partitions,
    settings: streamSettings(fleet),
    codec: entryCodec,
  });
  const partitions = Array.from({ length: fleet.partitions }, (_, partition) => partition);
  const writers = await openAll(
    partitions.map((partition) =>
      openJetStreamWriter({
        ...logOptions(partition),
        onTrouble: (trouble) => tellRefusal(partition, trouble, logger),
      }),
    ),
    (writer) => closing.defer(() => writer.close()),
  );
  const watched = watchWriters(writers, () => options.clock.nowMs());

  const ingest = createIngest({
    append: (draft) => appendByDomain(watched.writers, draft),
    clock,
    settings: () => decodeSettings(inForce.config),
    refusal: () => null,
    telemetry,
  });
  const nats = openNatsLink(
    sharedQueue(config, `${fleet.log.prefix}-gateways`),
    (report) => ingest.accept(report),
    { closing, telemetry, logger },
  );
  const questions = await openQuestions(connection);
  const ownership = fleet.roles.includes('owner')
    ? await openOwnership(options, { inForce, self, questions, logOptions, nats, telemetry, closing })
    : null;
  const led = (): ReadonlyMap<number, Partition> => ownership?.led ?? new Map();
  const integrations = (): readonly IntegrationState[] =>
    mergeIntegrations([...led().values()].map(({ carriers }) => carriers.integrations()));
  const readiness: Operations['readiness'] = () =>
    fleetReadiness({
      roles: fleet.roles,
      isConnected: reach.isConnected,
      canAppend: !watched.areAllAway(),
      owning: ownership?.troubles() ?? [],
      appending: watched.troubles(),
    });
  addFleetGauges(telemetry, {
    led,
    partitionCount: fleet.partitions,
    isConnected: () => reach.isConnected,
    hasLogTrouble: (partition) => writers[partition]!.trouble !== null,
    history: ownership?.history ?? null,
    integrations,
    readiness,
  });
  if (fleet.roles.includes('gateway')) nats?.listen();

  const voices = partitions.map((partition) =>
    askPartition(partition, {
      questions,
      prefix: fleet.log.prefix,
      led: () => ownership?.voices ?? new Map(),
      patienceMs: 2 * fleet.lease + takeoverMs,
    }),
  );

  const reload: Instance['reload'] = () =>
    inForce.reload(async ({ config: next, templates, payload }) => {
      for (const partition of led().values()) {
        partition.carriers.configure(next, templates);
        await partition.configure(payload);
      }
    });
  addAlertmanagerMetrics(telemetry, {
    partitions: () => led().values(),
    reloads: () => inForce.reloads,
    configText: () => inForce.text,
    memberCount: () => 1,
    startedAtMs,
    version,
    nowMs: () => clock.nowMs(),
  });
  const ports: ApiPorts = {
    read: createFleetRead(voices),
    ingest,
    commands: createFleetCommands({ writers, voices, clock }),
    operations: {
      version,
      startedAtMs,
      cluster: () => web.cluster,
      alertmanagerVersion: web.alertmanagerVersion,
      configText: () => inForce.text,
      readiness,
      reload,
      metrics: () => telemetry.text(),
      nowMs: () => clock.nowMs(),
    },
  };
  closing.defer(await serveApi(ports, config, web, door));
  logger.info({ self, roles: fleet.roles, partitions: fleet.partitions }, 'This process is one of a fleet.');
  return {
    url: door.url,
    get config() {
      return inForce.config;
    },
    failed: new Promise(() => undefined),
    outranked: new Promise(() => undefined),
    reload,
    stop: () => closing.close(),
  };
}

/** Says what does not pass by itself: a log that may not be appended to any more. What else is wrong is told with each report that is refused. */
function tellRefusal(partition: number, trouble: TocsinError | null, logger: Logger): void {
  if (!trouble || trouble.retryable) return;
  const { code, message } = trouble;
  logger.error(
    { partition, code },
    `${message}; this process refuses reports and commands for the partition.`,
  );
}

/** How long the servers know a message again that is sent twice: longer than an append is tried. */
const duplicateWindowMs = 120_000;

/** How long a process takes, from when it has the lease of a partition, until it answers for it. */
const takeoverMs = 5_000;

/** Each message is for one of the gateways. */
function sharedQueue({ nats }: TocsinConfig, queue: string): Pick<TocsinConfig, 'nats'> {
  return nats ? { nats: { ...nats, ingest: { queue, ...nats.ingest } } } : {};
}

function streamSettings({ log }: FleetConfig): JetStreamLogOptions<LogEntry>['settings'] {
  return {
    replicas: log.replicas,
    maxBytes: log.max_mib === undefined ? null : log.max_mib * 1024 * 1024,
    maxAgeMs: log.max_age ?? null,
    duplicateWindowMs,
  };
}
