import type { ServiceGraph } from '../incident/index.ts';

/** Where blame comes to rest among the affected services. */
export interface Blame {
  /** Its share, in (0, 1]; all shares sum up to 1. */
  readonly share: number;
  /** Affected services that depend on it, directly or not. */
  readonly callers: readonly string[];
  /** Affected services that it depends on. */
  readonly callees: readonly string[];
}

const damping = 0.85;
const rounds = 20;

/**
 * Personalised PageRank (Page et al. 1999) over the dependency edges: each affected service passes its blame on to the affected ones that it
 * depends on over at most three calls, the nearer the more, and keeps it when there are none; the walk begins again at the affected
 * services by the number of their signals. Services that the graph does not know are left out.
 */
export function findBlame(
  weights: ReadonlyMap<string, number>,
  graph: ServiceGraph,
): ReadonlyMap<string, Blame> {
  const names = [...weights.keys()].filter((name) => graph.knows(name));
  const total = names.reduce((sum, name) => sum + weights.get(name)!, 0);
  const callees = new Map(names.map((name) => [name, calleesOf(name, names, graph)]));
  const callers = new Map(names.map((name) => [name, [] as string[]]));
  for (const [name, found] of callees) for (const callee of found) callers.get(callee)?.push(name);
  const start = new Map(names.map((name) => [name, weights.get(name)! / total]));
  let shares = new Map(start);
  for (let round = 0; round < rounds; round++) {
    const next = new Map(names.map((name) => [name, (1 - damping) * start.get(name)!]));
    for (const [name, share] of shares) {
      const targets = callees.get(name)!;
      const direct = targets.filter((callee) => graph.dependenciesOf(name).has(callee));
      const chosen = direct.length > 0 ? direct : targets.length > 0 ? targets : [name];
      for (const target of chosen) next.set(target, next.get(target)! + (damping * share) / chosen.length);
    }
    shares = next;
  }
  return new Map(
    names.map((name) => [
      name,
      { share: shares.get(name)!, callers: callers.get(name)!, callees: callees.get(name)! },
    ]),
  );
}

function calleesOf(name: string, names: readonly string[], graph: ServiceGraph): string[] {
  const upstream = graph.upstreamOf(name);
  return names.filter((other) => upstream.has(other));
}
