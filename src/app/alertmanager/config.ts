import { isAbsolute, join } from 'node:path';
import type { z } from 'zod';
import { globalsOf, type ReceiverGlobals } from '../../notify/index.ts';
import { ConfigDocument, inOrder, type ConfigMistake, type ConfigPath } from '../config-document.ts';
import type { TocsinConfig } from '../config-schema.ts';
import { explainUnknownKey } from './known-keys.ts';
import { printConfig } from './print.ts';
import { alertmanagerConfig } from './schema.ts';

/** What an Alertmanager configuration says, as sections of Tocsin's. */
export interface AlertmanagerSections extends Pick<
  TocsinConfig,
  'route' | 'receivers' | 'inhibit_rules' | 'time_intervals' | 'templates'
> {
  readonly resolveTimeoutMs: number;
  /** What integrations fall back to. */
  readonly globals: ReceiverGlobals;
}

export type AlertmanagerOutcome =
  | {
      readonly ok: true;
      readonly sections: AlertmanagerSections;
      readonly warnings: readonly string[];
      /** The configuration as Alertmanager shows it: with its defaults, without secrets. */
      readonly text: string;
      /** Says where in the file something stands. */
      readonly mistakeAt: (path: ConfigPath, message: string) => ConfigMistake;
    }
  | { readonly ok: false; readonly mistakes: readonly ConfigMistake[] };

type Tree = Readonly<Record<string, unknown>>;

/**
 * Reads and checks an Alertmanager configuration, as it stands. Reports every mistake at once. `folder` is where the file lies: the files
 * that `http_config` names are looked for there. As Alertmanager's reader does (yaml.v2), it takes YAML 1.1, any
 * scalar where a text is wanted, and a null for nothing said.
 */
export function parseAlertmanagerConfig(text: string, folder: string): AlertmanagerOutcome {
  const document = new ConfigDocument(text, { version: '1.1', stringKeys: true });
  const syntaxMistakes = document.syntaxMistakes();
  if (syntaxMistakes.length > 0) return { ok: false, mistakes: syntaxMistakes };
  const given = withoutNulls(document.value()) as Tree;
  const { tree, result } = parseLeniently(document, given);
  const mistakes = [
    ...document.mistakesOf(result.success ? [] : result.error.issues, explainUnknownKey),
    ...foreignRouteKeys(tree['route'], ['route']).map((path) =>
      document.mistakeAt(path, 'unknown key', true),
    ),
  ];
  if (!result.success || mistakes.length > 0) return { ok: false, mistakes: inOrder(mistakes) };

  // What `global.http_config` says holds for each integration that says nothing of its own.
  const whole = resolveFiles(inheritHttpConfig(tree), folder);
  const { global, route, receivers, inhibit_rules, templates, time_intervals, mute_time_intervals } =
    alertmanagerConfig.parse(whole);
  const twice = mute_time_intervals.findIndex(({ name }) =>
    time_intervals.some((other) => other.name === name),
  );
  if (twice >= 0) {
    const path = ['mute_time_intervals', twice, 'name'];
    return { ok: false, mistakes: [document.mistakeAt(path, 'time_intervals has one of this name')] };
  }
  return {
    ok: true,
    sections: {
      route,
      receivers,
      inhibit_rules,
      time_intervals: [...mute_time_intervals, ...time_intervals],
      templates,
      resolveTimeoutMs: global.resolve_timeout,
      globals: globalsOf(global),
    },
    warnings: [],
    text: printConfig(tree),
    mistakeAt: (path, message) => document.mistakeAt(path, message),
  };
}

/** Parses, and where a text is wanted but the scalar was read as something else, takes its letters. */
function parseLeniently(
  document: ConfigDocument,
  given: Tree,
): { tree: Tree; result: z.ZodSafeParseResult<z.output<typeof alertmanagerConfig>> } {
  const result = alertmanagerConfig.safeParse(given);
  if (result.success) return { tree: given, result };
  const tree = structuredClone(given);
  for (const issue of result.error.issues) {
    if (issue.code !== 'invalid_type' || issue.expected !== 'string') continue;
    const source = document.sourceOf(issue.path);
    if (source !== undefined) setAt(tree, issue.path, source);
  }
  return { tree, result: alertmanagerConfig.safeParse(tree) };
}

function setAt(tree: unknown, path: ConfigPath, value: string): void {
  let node = tree as Record<PropertyKey, unknown>;
  for (const step of path.slice(0, -1)) node = node[step] as Record<PropertyKey, unknown>;
  node[path.at(-1)!] = value;
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, item]) => (item === null ? [] : [[key, withoutNulls(item)]])),
  );
}

/** Keys of routes that Tocsin's own file has and Alertmanager does not. */
function foreignRouteKeys(route: unknown, path: ConfigPath): ConfigPath[] {
  if (typeof route !== 'object' || route === null) return [];
  const { routes } = route as { readonly routes?: unknown };
  return [
    ...(Object.hasOwn(route, 'min_priority') ? [[...path, 'min_priority']] : []),
    ...(Array.isArray(routes)
      ? routes.flatMap((child, index) => foreignRouteKeys(child, [...path, 'routes', index]))
      : []),
  ];
}

/** The integrations that speak HTTP by `http_config`: all of Alertmanager's but mail. */
const withoutHttp = new Set(['email_configs', 'nats_configs', 'console_configs']);

function inheritHttpConfig(tree: Tree): Tree {
  const shared = (tree['global'] as Tree | undefined)?.['http_config'];
  if (shared === undefined) return tree;
  const inherit = (receiver: Tree): Tree =>
    Object.fromEntries(
      Object.entries(receiver).map(([key, configs]) => [
        key,
        Array.isArray(configs) && !withoutHttp.has(key)
          ? (configs as readonly Tree[]).map((config) => ({ http_config: shared, ...config }))
          : configs,
      ]),
    );
  return { ...tree, receivers: (tree['receivers'] as readonly Tree[]).map(inherit) };
}

/** Paths of files inside of `http_config` start from the folder of the configuration. */
function resolveFiles(value: Tree, folder: string): Tree {
  const visit = (item: unknown, key: string, isHttp: boolean): unknown => {
    if (Array.isArray(item)) return item.map((element) => visit(element, '', isHttp));
    if (typeof item === 'string')
      return isHttp && key.endsWith('_file') && !isAbsolute(item) ? join(folder, item) : item;
    if (typeof item !== 'object' || item === null) return item;
    return Object.fromEntries(
      Object.entries(item).map(([name, inner]) => [
        name,
        visit(inner, name, isHttp || name === 'http_config'),
      ]),
    );
  };
  return visit(value, '', false) as Tree;
}
