import type { RouteConfig } from '../dispatch/index.ts';
import { isAllowedHost } from '../runbook/index.ts';
import type { TocsinConfig } from './config-schema.ts';

/** A mistake that only several sections together show. */
export interface CrossMistake {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** Checks what no section can check alone: names that must exist elsewhere, and what makes a setting unsafe. */
export function crossCheck(config: TocsinConfig): CrossMistake[] {
  return [
    ...checkReceivers(config),
    ...checkServices(config),
    ...checkNats(config),
    ...checkRunbookHosts(config),
    ...checkListen(config),
  ];
}

function checkReceivers({ route, receivers }: TocsinConfig): CrossMistake[] {
  const names = new Set(receivers.map(({ name }) => name));
  const visit = (node: RouteConfig, path: readonly PropertyKey[]): CrossMistake[] => [
    ...(node.receiver === undefined || names.has(node.receiver)
      ? []
      : [{ path: [...path, 'receiver'], message: `there is no receiver ${JSON.stringify(node.receiver)}` }]),
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
  if (nats) return [];
  return receivers.flatMap((receiver, index) =>
    receiver.nats_configs.length > 0
      ? [{ path: ['receivers', index, 'nats_configs'], message: 'needs nats.servers to publish to' }]
      : [],
  );
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
      message: `${address.host} can be reached from outside: set server.bearer_token_file, or listen on 127.0.0.1`,
    },
  ];
}

/** Reads `host:port`; an empty host is every address. Null when it is neither. */
export function parseListen(listen: string): { readonly host: string; readonly port: number } | null {
  const match = /^(.*):(\d{1,5})$/.exec(listen);
  const port = Number(match?.[2]);
  if (!match || port > 65_535) return null;
  const host = (match[1] ?? '').replace(/^\[(.*)\]$/, '$1');
  return { host: host === '' ? '0.0.0.0' : host, port };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}
