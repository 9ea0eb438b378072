import type { RouteConfig } from '../dispatch/index.ts';
import { receiverMistakes } from '../notify/index.ts';
import { isAllowedHost } from '../runbook/index.ts';
import { isIngested } from '../source/index.ts';
import type { TocsinConfig } from './config-schema.ts';
import { isLoopback, parseListen } from './listen-address.ts';

/** A mistake that only several sections together show. */
export interface CrossMistake {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** Checks what no section can check alone: names that must exist elsewhere, and what makes a setting unsafe. */
export function crossCheck(config: TocsinConfig): CrossMistake[] {
  return [
    ...checkTimeIntervals(config),
    ...checkReceivers(config),
    ...checkServices(config),
    ...checkIntegrations(config),
    ...checkNats(config),
    ...checkRunbookHosts(config),
    ...checkListen(config),
    ...checkCluster(config),
    ...checkFleet(config),
  ];
}

function checkReceivers({ route, receivers }: TocsinConfig): CrossMistake[] {
  const names = new Set(receivers.map(({ name }) => name));
  return checkRoutes(route, (node, path) =>
    node.receiver === undefined || names.has(node.receiver)
      ? []
      : [{ path: [...path, 'receiver'], message: `there is no receiver ${JSON.stringify(node.receiver)}` }],
  );
}

function checkIntegrations({ receivers, global }: TocsinConfig): CrossMistake[] {
  return receiverMistakes(receivers, global).map(({ path, message }) => ({
    path: ['receivers', ...path],
    message,
  }));
}

function checkTimeIntervals({ route, time_intervals }: TocsinConfig): CrossMistake[] {
  const names = new Set(time_intervals.map(({ name }) => name));
  return checkRoutes(route, (node, path) =>
    (['mute_time_intervals', 'active_time_intervals'] as const).flatMap((key) =>
      node[key].flatMap((name, index) =>
        names.has(name)
          ? []
          : [{ path: [...path, key, index], message: `there is no time interval ${JSON.stringify(name)}` }],
      ),
    ),
  );
}

function checkRoutes(
  route: RouteConfig,
  check: (node: RouteConfig, path: readonly PropertyKey[]) => CrossMistake[],
): CrossMistake[] {
  const visit = (node: RouteConfig, path: readonly PropertyKey[]): CrossMistake[] => [
    ...check(node, path),
    ...node.routes.flatMap((child, index) => visit(child, [...path, 'routes', index])),
  ];
  return visit(route, ['route']);
}

function checkServices({ services }: TocsinConfig): CrossMistake[] {
  const names = new Set<string>();
  const mistakes: CrossMistake[] = [];
  for (const [index, { name }] of services.entries()) {
    if (names.has(name))
      mistakes.push({ path: ['services', index, 'name'], message: `service ${name} is listed twice` });
    names.add(name);
  }
  return mistakes;
}

function checkNats({ receivers, nats }: TocsinConfig): CrossMistake[] {
  return receivers.flatMap((receiver, index) => {
    const path = ['receivers', index, 'nats_configs'];
    if (!nats)
      return receiver.nats_configs.length > 0 ? [{ path, message: 'needs nats.servers to publish to' }] : [];
    return receiver.nats_configs.flatMap(({ subject, page_subject }, at) => [
      ...ingestedAgain(nats.ingest.subject, `${subject}.p1`, [...path, at, 'subject']),
      ...ingestedAgain(nats.ingest.subject, page_subject, [...path, at, 'page_subject']),
    ]);
  });
}

function ingestedAgain(pattern: string, subject: string, path: readonly PropertyKey[]): CrossMistake[] {
  if (!isIngested(pattern, subject)) return [];
  return [{ path, message: `pages would come in again as alerts: nats.ingest.subject is ${pattern}` }];
}

function checkRunbookHosts({ runbooks }: TocsinConfig): CrossMistake[] {
  return runbooks.catalog.flatMap(({ steps }, runbook) =>
    steps.flatMap((step, index) => {
      if (
        step.kind !== 'http' ||
        isAllowedHost(step.url.replaceAll(/\{\{[^}]*\}\}/g, 'x'), runbooks.allowed_hosts)
      )
        return [];
      return [
        {
          path: ['runbooks', 'catalog', runbook, 'steps', index, 'url'],
          message: `the host of ${step.url} is not among runbooks.allowed_hosts`,
        },
      ];
    }),
  );
}

function checkListen({ server }: TocsinConfig): CrossMistake[] {
  const address = parseListen(server.listen);
  if (!address)
    return [
      { path: ['server', 'listen'], message: `expected host:port, got ${JSON.stringify(server.listen)}` },
    ];
  if (isLoopback(address.host) || server.bearer_token_file !== undefined) return [];
  return [
    {
      path: ['server', 'listen'],
      message: `${address.host || 'every address'} can be reached from outside: set server.bearer_token_file, or listen on 127.0.0.1`,
    },
  ];
}

function checkFleet({ fleet, cluster, history }: TocsinConfig): CrossMistake[] {
  if (!fleet) return [];
  const mistakes: CrossMistake[] = [];
  if (cluster)
    mistakes.push({ path: ['cluster'], message: 'a fleet has no use for it: its log is in JetStream' });
  if (history.enabled && history.url === undefined && fleet.roles.includes('owner'))
    mistakes.push({
      path: ['history'],
      message:
        'a fleet keeps its history on a ClickHouse server: set history.url, or history.enabled to false',
    });
  return mistakes;
}

function checkCluster({ cluster }: TocsinConfig): CrossMistake[] {
  if (!cluster || cluster.token_file !== undefined) return [];
  const host = parseListen(cluster.listen)?.host ?? '';
  if (isLoopback(host)) return [];
  return [
    {
      path: ['cluster', 'listen'],
      message: `${host || 'every address'} can be reached from outside: set cluster.token_file, or listen on 127.0.0.1`,
    },
  ];
}

/** What is probably not meant, though nothing is wrong with it. `text` is the file; empty where there is none. */
export function configWarnings({ services, fleet, alertmanager }: TocsinConfig, text: string): string[] {
  const names = new Set(services.map(({ name }) => name));
  const unknown = services.flatMap(({ name, depends_on }) =>
    depends_on
      .filter((other) => !names.has(other) || other === name)
      .map((other) =>
        other === name
          ? `service ${name} depends on itself`
          : `service ${name} depends on ${other}, which is not in the catalog`,
      ),
  );
  const isRouted = text === '' || /^(?:route|receivers|alertmanager):/m.test(text);
  const pages = !fleet || fleet.roles.includes('owner');
  return [
    ...unknown,
    ...(fleet && alertmanager !== undefined
      ? [
          'With `alertmanager` all alerts are of one domain, which lies in one partition: one owner does all the work. Set `route` and `receivers` here instead.',
        ]
      : []),
    ...(isRouted || !pages
      ? []
      : ['There is no route and there are no receivers: pages go to the console only.']),
  ];
}
