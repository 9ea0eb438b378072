import { compileMatchers, labelValue, matchesAll, type Labels, type Matcher } from '../alert/index.ts';
import type { InhibitRulesConfig } from './config.ts';

/** A firing alert, as inhibition sees it. */
export interface FiringAlert {
  readonly fingerprint: string;
  readonly domain: string;
  readonly labels: Labels;
}

interface Rule {
  readonly source: readonly Matcher[];
  readonly target: readonly Matcher[];
  readonly equal: readonly string[];
  /** Firing sources and targets by the values of the `equal` labels, in the order in which they fired. */
  readonly sources: Map<string, Map<string, { readonly isTwoSided: boolean }>>;
  readonly targets: Map<string, Set<string>>;
}

/**
 * Which firing alerts inhibit which, under Alertmanager's rules (inhibit/inhibit.go): a target is inhibited while a source with
 * the same `equal` values fires; an alert that matches both sides of a rule is not inhibited by another such alert. Alerts of
 * different domains never meet. Work follows the alerts that share the `equal` values, never all that fire.
 */
export class Inhibition {
  readonly #rules: readonly Rule[];

  constructor(config: InhibitRulesConfig) {
    this.#rules = config.map(({ source, target, equal }) => ({
      source: compiled(source),
      target: compiled(target),
      equal,
      sources: new Map(),
      targets: new Map(),
    }));
  }

  /** Takes a firing alert in. Returns the fingerprints of others whose inhibition may have changed. */
  add(alert: FiringAlert): readonly string[] {
    const touched: string[] = [];
    for (const rule of this.#rules) {
      const isSource = matchesAll(rule.source, alert.labels);
      const isTarget = matchesAll(rule.target, alert.labels);
      if (!isSource && !isTarget) continue;
      const key = equalKey(rule, alert);
      if (isSource) {
        getOrCreate(rule.sources, key, () => new Map()).set(alert.fingerprint, { isTwoSided: isTarget });
        touched.push(...(rule.targets.get(key) ?? []));
      }
      if (isTarget) getOrCreate(rule.targets, key, () => new Set()).add(alert.fingerprint);
    }
    return touched;
  }

  /** Takes an alert out that no longer fires. Returns as `add` does. */
  remove(alert: FiringAlert): readonly string[] {
    const touched: string[] = [];
    for (const rule of this.#rules) {
      const key = equalKey(rule, alert);
      removeFrom(rule.targets, key, alert.fingerprint);
      if (removeFrom(rule.sources, key, alert.fingerprint)) touched.push(...(rule.targets.get(key) ?? []));
    }
    return touched;
  }

  /** The fingerprint of one inhibiting alert a rule: the one that has fired for longest. */
  inhibitors(alert: FiringAlert): string[] {
    const found = new Set<string>();
    for (const rule of this.#rules) {
      if (!matchesAll(rule.target, alert.labels)) continue;
      const isTwoSided = matchesAll(rule.source, alert.labels);
      for (const [fingerprint, source] of rule.sources.get(equalKey(rule, alert)) ?? []) {
        if (isTwoSided && source.isTwoSided) continue;
        found.add(fingerprint);
        break;
      }
    }
    return [...found];
  }
}

function compiled(texts: InhibitRulesConfig[number]['source']): readonly Matcher[] {
  const outcome = compileMatchers(texts);
  if (!outcome.ok) throw new Error(`inhibit rule was not checked: ${outcome.error}`);
  return outcome.matchers;
}

function equalKey({ equal }: Rule, { domain, labels }: FiringAlert): string {
  return JSON.stringify([domain, ...equal.map((name) => labelValue(labels, name))]);
}

function getOrCreate<Value>(map: Map<string, Value>, key: string, create: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = create()));
  return value;
}

function removeFrom(
  map: Map<string, { delete(key: string): boolean; readonly size: number }>,
  key: string,
  fingerprint: string,
): boolean {
  const members = map.get(key);
  if (!members?.delete(fingerprint)) return false;
  if (members.size === 0) map.delete(key);
  return true;
}
