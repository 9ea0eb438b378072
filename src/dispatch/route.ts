import {
  compareCodePoints,
  compileMatchers,
  createLabels,
  labelPairs,
  labelValue,
  matcherToString,
  matchesAll,
  type Labels,
  type Matcher,
  type MatcherText,
} from '../alert/index.ts';
import type { Priority } from '../incident/index.ts';
import { matchersOf, type RouteConfig } from './config.ts';

/** A route with everything that it has from its parents. */
export interface Route {
  /** Alertmanager's route key, such as `{}/{team="payments"}`. */
  readonly key: string;
  readonly receiver: string;
  /** Null stands for all labels. */
  readonly groupBy: readonly string[] | null;
  readonly groupWaitMs: number;
  readonly groupIntervalMs: number;
  readonly repeatIntervalMs: number;
  readonly minPriority: Priority | null;
  readonly isByIncident: boolean;
  /** Names of time intervals. */
  readonly muteTimeIntervals: readonly string[];
  readonly activeTimeIntervals: readonly string[];
}

interface Node extends Route {
  readonly matchers: readonly Matcher[];
  readonly continues: boolean;
  readonly children: readonly Node[];
}

/** The label that stands for an alert's incident. It is never part of the alert itself. */
export const incidentLabel = 'incident';

/** The route tree, compiled. Matching is depth first; the first child that matches takes the alert unless it continues. */
export class RouteTree {
  readonly #root: Node;
  readonly #byKey = new Map<string, Route>();

  /** Without `hasIncidentLabel` the label `incident` is one like any other. */
  constructor(config: RouteConfig, hasIncidentLabel = true) {
    this.#root = compile(config, rootDefaults, '', hasIncidentLabel, (route) => {
      const name = JSON.stringify([route.key, route.receiver]);
      if (!this.#byKey.has(name)) this.#byKey.set(name, route);
    });
  }

  /** The route of this key and receiver; of several the first in the tree. */
  find(key: string, receiver: string): Route | undefined {
    return this.#byKey.get(JSON.stringify([key, receiver]));
  }

  /** The routes that take an alert with these labels: at least one. */
  match(labels: Labels): readonly Route[] {
    return match(this.#root, labels);
  }
}

/** The labels that name the group of an alert under a route. */
export function groupLabels(
  { groupBy, isByIncident }: Route,
  labels: Labels,
  incidentId: string | null,
): Labels {
  if (groupBy === null) return labels;
  const valueOf = (name: string): string =>
    isByIncident && name === incidentLabel ? (incidentId ?? '') : labelValue(labels, name);
  return createLabels(groupBy.map((name) => [name, valueOf(name)] as const));
}

/** Alertmanager's group key: the route's key and the group's labels. */
export function groupKey(route: Route, labels: Labels): string {
  const pairs = [...labelPairs(labels)].map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return `${route.key}:{${pairs.sort(compareCodePoints).join(', ')}}`;
}

const rootDefaults = {
  receiver: '',
  groupBy: [] as readonly string[] | null,
  groupWaitMs: 30_000,
  groupIntervalMs: 300_000,
  repeatIntervalMs: 14_400_000,
  minPriority: null as Priority | null,
};

function compile(
  config: RouteConfig,
  parent: typeof rootDefaults,
  parentKey: string,
  hasIncidentLabel: boolean,
  visit: (route: Route) => void,
): Node {
  const texts = matchersOf(config).sort(compareMatchers);
  const compiled = compileMatchers(texts);
  if (!compiled.ok) throw new Error(`route was not checked: ${compiled.error}`);
  const own = {
    receiver: config.receiver ?? parent.receiver,
    // As in Alertmanager, an empty list says nothing.
    groupBy: !config.group_by?.length
      ? parent.groupBy
      : config.group_by[0] === '...'
        ? null
        : config.group_by,
    groupWaitMs: config.group_wait ?? parent.groupWaitMs,
    groupIntervalMs: config.group_interval ?? parent.groupIntervalMs,
    repeatIntervalMs: config.repeat_interval ?? parent.repeatIntervalMs,
    minPriority: (config.min_priority as Priority | undefined) ?? parent.minPriority,
  };
  const key = `${parentKey}${parentKey === '' ? '' : '/'}{${texts.map(matcherToString).join(',')}}`;
  const children: Node[] = [];
  const node: Node = {
    ...own,
    key,
    isByIncident: hasIncidentLabel && (own.groupBy?.includes(incidentLabel) ?? false),
    muteTimeIntervals: config.mute_time_intervals,
    activeTimeIntervals: config.active_time_intervals,
    matchers: compiled.matchers,
    continues: config.continue,
    children,
  };
  visit(node);
  for (const child of config.routes) children.push(compile(child, own, key, hasIncidentLabel, visit));
  return node;
}

/** Alertmanager's order of matchers (pkg/labels/matcher.go): by name, value and then `=`, `!=`, `=~`, `!~`. */
function compareMatchers(a: MatcherText, b: MatcherText): number {
  return (
    compareCodePoints(a.name, b.name) ||
    compareCodePoints(a.value, b.value) ||
    Number(a.isRegex) - Number(b.isRegex) ||
    Number(b.isEqual) - Number(a.isEqual)
  );
}

function match(node: Node, labels: Labels): readonly Node[] {
  const found: Node[] = [];
  for (const child of node.children) {
    if (!matchesAll(child.matchers, labels)) continue;
    found.push(...match(child, labels));
    if (!child.continues) break;
  }
  return found.length > 0 ? found : [node];
}
