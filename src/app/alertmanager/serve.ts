import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { ClusterView } from '../../api/index.ts';
import { systemClock } from '../clock.ts';
import type { Door } from '../door.ts';
import { startInstance, type InstanceOptions } from '../instance.ts';
import { isLoopback, parseListen } from '../listen-address.ts';
import { createLogger, type Logger } from '../logger.ts';
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
  const instance = await startInstance(instanceOptions(flags, door, logger));
  await runUntilStopped(instance, logger);
}

function instanceOptions(flags: Flags, door: Door, logger: Logger): InstanceOptions {
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
    door,
    web: {
      routePrefix: prefix === '' ? '' : `/${prefix}`,
      timeoutMs: Math.max(0, flags['web.timeout']),
      getConcurrency: flags['web.get-concurrency'],
      cluster: clusterOfOne(flags['cluster.listen-address']),
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

/** Alertmanager counts itself among its peers. */
function clusterOfOne(address: string): ClusterView {
  if (address === '') return { status: 'disabled', peers: [] };
  const name = randomUUID();
  return { name, status: 'ready', peers: [{ name, address }] };
}

function warnOfLimits(flags: Flags, logger: Logger): void {
  const own = flags['cluster.listen-address'];
  const others = flags['cluster.peer'].filter((peer) => peer !== own);
  if (others.length > 0)
    logger.warn(
      { peers: others },
      'Clustering is not built in Tocsin yet: this process notifies on its own, and so does each of its peers.',
    );
  const open = flags['web.listen-address'].filter((address) => !isLoopback(parseListen(address)?.host ?? ''));
  if (open.length > 0)
    logger.warn(
      { listen: open },
      'As with Alertmanager, whoever reaches this address may read alerts and silence them.',
    );
}
