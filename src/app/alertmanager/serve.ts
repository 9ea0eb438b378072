import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import type { ClusterView } from '../../api/index.ts';
import { systemClock } from '../clock.ts';
import { openDoor, type Door } from '../door.ts';
import { startInstance, type InstanceOptions } from '../instance.ts';
import { isLoopback, parseListen } from '../listen-address.ts';
import { createLogger, type Logger } from '../logger.ts';
import type { ClusterSettings } from '../storage.ts';
import { runUntilStopped } from '../run-until-stopped.ts';
import type { Flags } from './flags.ts';

/** The release whose acceptance tests hold (`npm run conformance`). */
const alertmanagerVersion = '0.25.0';

/** Loading the history's engine holds up the thread for a tenth of a second and more: not while the first alerts arrive. */
const historyDelayMs = 15_000;

/** Runs Tocsin as the flags say until the process is told to stop. Rejects as `startInstance` does. */
export async function serve(flags: Flags, door: Door): Promise<void> {
  const logger = createLogger(flags['log.level'], flags['log.format']);
  warnOfLimits(flags, logger);
  await warnOfForeignFiles(flags['storage.path'], logger);
  const options = instanceOptions(flags, logger);
  let first: Door | null = door;
  await runUntilStopped(async () => {
    const door = first ?? (await openDoor(flags['web.listen-address']));
    first = null;
    return startInstance({ ...options, door });
  }, logger);
}

function instanceOptions(flags: Flags, logger: Logger): InstanceOptions {
  const [listen = ':9093'] = flags['web.listen-address'];
  const external = externalUrl(flags['web.external-url'], listen);
  const prefix = (flags['web.route-prefix'] || external.pathname).replace(/^\/+|\/+$/g, '');
  return {
    alertmanagerFile: flags['config.file'],
    override: (config) => ({
      ...config,
      global: { ...config.global, resolved_retention: flags['alerts.gc-interval'] },
      mute: { ...config.mute, silence_retention: flags['data.retention'] },
      storage: { ...config.storage, path: flags['storage.path'] },
      server: { ...config.server, listen, external_url: external.href.replace(/\/+$/, '') },
    }),
    cluster: clusterSettings(flags),
    web: {
      routePrefix: prefix === '' ? '' : `/${prefix}`,
      timeoutMs: Math.max(0, flags['web.timeout']),
      getConcurrency: flags['web.get-concurrency'],
      cluster: clusterOfOne(flags['cluster.listen-address'] ?? unusedClusterAddress),
      alertmanagerVersion,
    },
    historyDelayMs,
    clock: systemClock,
    logger,
    print: (text) => console.log(text),
  };
}

/** Alertmanager's default names the machine (cmd/alertmanager/main.go, `extURL`). */
function externalUrl(given: string, listen: string): URL {
  return new URL(given === '' ? `http://${hostname()}:${parseListen(listen)?.port ?? 9093}/` : given);
}

/** Where Alertmanager listens for others unless it is told not to. Tocsin does when it is given an address or a peer. */
const unusedClusterAddress = '0.0.0.0:9094';

/** Null where the process is alone: it was told so, or of nobody else. */
function clusterSettings(flags: Flags): ClusterSettings | null {
  const listen = flags['cluster.listen-address'];
  const peers = flags['cluster.peer'];
  if (listen === '' || (listen === undefined && peers.length === 0)) return null;
  const advertise = flags['cluster.advertise-address'];
  return {
    listen: listen ?? unusedClusterAddress,
    advertise: advertise === '' ? undefined : advertise,
    peers: peers.filter((peer) => peer !== listen && peer !== advertise),
    token: null,
  };
}

/** Alertmanager counts itself among its peers. */
function clusterOfOne(address: string): ClusterView {
  if (address === '') return { status: 'disabled', peers: [] };
  const name = randomUUID();
  return { name, status: 'ready', peers: [{ name, address }] };
}

function warnOfLimits(flags: Flags, logger: Logger): void {
  const open = flags['web.listen-address'].filter((address) => !isLoopback(parseListen(address)?.host ?? ''));
  if (open.length > 0)
    logger.warn(
      { listen: open },
      'As with Alertmanager, whoever reaches this address may read alerts and silence them.',
    );
}

/** An Alertmanager's own silences are not read: whoever changes over must know before they page. */
async function warnOfForeignFiles(folder: string, logger: Logger): Promise<void> {
  const files = await readdir(folder).catch(() => []);
  const found = files.filter((file) => file === 'silences' || file === 'nflog');
  if (found.length > 0)
    logger.warn(
      { folder, files: found },
      "These files of an Alertmanager are not read. Take its silences over with 'amtool silence query -o json' there and 'amtool silence import' here.",
    );
}
