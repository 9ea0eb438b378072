import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Cluster, type ClusterChange } from '../cluster/index.ts';
import type { LogEntry } from '../incident/index.ts';
import { openLmdbLog, type PartitionLog } from '../log/index.ts';
import {
  checkFolderFormat,
  checkLmdbFile,
  lockFolder,
  openLmdbStore,
  type PartitionStore,
} from '../store/index.ts';
import type { TocsinConfig } from './config-schema.ts';
import { readToken } from './read-token.ts';
import type { Closing } from './closing.ts';
import { entryCodec } from './entry-codec.ts';
import { parseListen } from './listen-address.ts';
import { collectHandover, type Handover } from './handover.ts';
import type { Logger } from './logger.ts';
import type { Pipeline } from './pipeline.ts';

/** How a process meets the others of its cluster. Addresses are `host:port`. */
export interface ClusterSettings {
  readonly listen: string;
  readonly advertise: string | undefined;
  readonly peers: readonly string[];
  readonly token: string | null;
}

/** Rejects with TOC_CONFIG_UNREADABLE where the token cannot be read. */
export async function clusterSettings(config: TocsinConfig['cluster']): Promise<ClusterSettings | null> {
  if (!config) return null;
  const { listen, advertise, peers, token_file } = config;
  return {
    listen,
    advertise,
    peers: peers.filter((peer) => peer !== listen && peer !== advertise),
    token: token_file === undefined ? null : await readToken('cluster.token_file', token_file),
  };
}

export interface Storage {
  readonly log: PartitionLog<LogEntry>;
  readonly store: PartitionStore;
  readonly cluster: Cluster<LogEntry> | null;
  /** What this process must tell its leader, where its own log was replaced by the leader's. */
  readonly handover: PendingHandover | null;
}

export interface PendingHandover {
  readonly known: Handover;
  /** Forgets it. Until then it is there again at the next start. */
  done(): Promise<void>;
}

/** Where a folder keeps what. */
const files = { log: 'log', store: 'store', lineage: 'cluster.json', handover: 'handover.json' } as const;

export interface StorageOptions {
  /** Null where the process is alone. */
  readonly settings: ClusterSettings | null;
  /** Makes a fold to read with what a log says that is about to be replaced. */
  readonly createPipeline: () => Pipeline;
  readonly closing: Closing;
  readonly logger: Logger;
}

/**
 * Opens log and store in `folder`, and joins the others where there is a cluster. Rejects with TOC_STORE_LOCKED, TOC_STORE_UNAVAILABLE,
 * TOC_STORE_CORRUPT, TOC_LOG_UNAVAILABLE, TOC_LOG_CORRUPT or TOC_LISTEN_FAILED.
 */
export async function openStorage(
  folder: string,
  { settings, createPipeline, closing, logger }: StorageOptions,
): Promise<Storage> {
  const lock = await lockFolder(folder);
  closing.defer(() => lock.release());
  await checkFolderFormat(folder);
  await mkdir(join(folder, files.log), { recursive: true });
  await checkLmdbFile(join(folder, files.log), 'TOC_LOG_CORRUPT');
  await checkLmdbFile(join(folder, files.store), 'TOC_STORE_CORRUPT');
  const log = openLmdbLog<LogEntry>(join(folder, files.log), entryCodec);
  closing.defer(() => log.close());
  const store = openLmdbStore(join(folder, files.store));
  closing.defer(() => store.close());
  if (!settings) return { log, store, cluster: null, handover: null };
  const handoverFile = join(folder, files.handover);

  const listen = parseListen(settings.listen)!;
  const cluster = await Cluster.join({
    listen,
    advertise: settings.advertise ?? `${isEveryHost(listen.host) ? '' : listen.host}:${listen.port}`,
    peers: settings.peers,
    token: settings.token,
    lineageFile: join(folder, files.lineage),
    log,
    readCheckpoint: () => store.readCheckpoint(),
    async replaceState(checkpoint) {
      if (log.lastPosition > 0)
        await writeFile(handoverFile, JSON.stringify(await collectHandover(log, store, createPipeline())));
      await log.reset();
      await store.reset();
      if (!checkpoint) return;
      const { position, timeMs, rows } = checkpoint;
      await store.stageCheckpoint({ position, timeMs, changes: rows }).commit();
    },
    onChange: (change) => tell(change, logger),
  });
  closing.defer(() => cluster.stop());
  const known = await readFile(handoverFile, 'utf8').catch(() => null);
  return {
    log: cluster.log,
    store,
    cluster,
    handover:
      known === null
        ? null
        : { known: JSON.parse(known) as Handover, done: () => rm(handoverFile, { force: true }) },
  };
}

function isEveryHost(host: string): boolean {
  return host === '' || host === '0.0.0.0' || host === '::';
}

function tell(change: ClusterChange, logger: Logger): void {
  const { kind: _, ...fields } = change;
  switch (change.kind) {
    case 'leading':
      return logger.info(fields, 'This process leads its cluster.');
    case 'following':
      return logger.info(fields, 'This process follows the leader of its cluster.');
    case 'seeking':
      return logger.warn(fields, 'The leader of the cluster is lost; the members choose another.');
    case 'follower dropped':
      return logger.warn(fields, 'A member copies the log no longer, and is not waited for.');
    case 'disk failed':
      return logger.error(
        { err: change.error },
        'This process cannot keep the log of its cluster; it is tried again.',
      );
    case 'state replaced':
    default:
      return logger.warn(
        fields,
        'The log of this process was none that the leader knows: it was replaced by the one of the leader.',
      );
  }
}
