import { z } from 'zod';
import { labelValue, type Labels } from '../alert/index.ts';
import { serviceLabelsConfig, servicesConfig, type ServicesConfig } from './service.ts';

export type Service = ServicesConfig[number];

/** How one service reaches another over the catalog. */
export interface ServicePath {
  readonly hops: number;
  /**
   * `calls`: the first depends on the second. `called_by`: the other way round. `shares`: both depend on a third, or
   * both are used by a third, named by `via`.
   */
  readonly relation: 'calls' | 'called_by' | 'shares';
  /** The service in the middle of a path of two hops. */
  readonly via: string | null;
}

const sectionsOfInterest = z.object({
  services: servicesConfig,
  correlate: z.object({ service_labels: serviceLabelsConfig }).prefault({}),
});

/**
 * The service catalog as a graph. A service that is only named in a `depends_on` is part of the graph, but has no
 * catalog entry of its own. Neighbourhoods are worked out once per service and cost nothing after that.
 */
export class ServiceGraph {
  readonly #services = new Map<string, Service>();
  readonly #dependencies = new Map<string, Set<string>>();
  readonly #dependants = new Map<string, Set<string>>();
  readonly #near = new Map<string, ReadonlyMap<string, ServicePath>>();
  readonly #upstream = new Map<string, ReadonlySet<string>>();
  readonly #serviceLabels: readonly string[];

  constructor(services: ServicesConfig, serviceLabels: readonly string[]) {
    this.#serviceLabels = serviceLabels;
    for (const service of services) {
      this.#services.set(service.name, service);
      for (const dependency of service.depends_on) {
        if (dependency === service.name) continue;
        addTo(this.#dependencies, service.name, dependency);
        addTo(this.#dependants, dependency, service.name);
      }
    }
  }

  /** The catalog entry of `name`. */
  service(name: string): Service | undefined {
    return this.#services.get(name);
  }

  /** Whether the catalog says anything about `name`, be it only that another service depends on it. */
  knows(name: string): boolean {
    return this.#services.has(name) || this.#dependants.has(name);
  }

  /**
   * The service that `labels` name, or null when they name none. Where no label is for that, a machine or a pod may: `checkout-api-7d9f-x2` is
   * of `checkout-api` where the catalog has that.
   */
  serviceOf(labels: Labels): string | null {
    for (const label of this.#serviceLabels) {
      const value = labelValue(labels, label);
      if (value !== '') return value;
    }
    if (this.#services.size === 0) return null;
    for (const label of placeLabels) {
      const service = this.#serviceIn(labelValue(labels, label));
      if (service !== null) return service;
    }
    return null;
  }

  /** The longest beginning of `name`, up to a dash, dot or colon, that is a service. */
  #serviceIn(name: string): string | null {
    let rest = name.slice(0, maxPlaceLength);
    while (rest !== '') {
      if (this.knows(rest)) return rest;
      rest = rest.slice(0, Math.max(rest.lastIndexOf('-'), rest.lastIndexOf('.'), rest.lastIndexOf(':'), 0));
    }
    return null;
  }

  /** Whether the label `name` may name the service. */
  isServiceLabel(name: string): boolean {
    return this.#serviceLabels.includes(name);
  }

  /** What `name` calls, directly. */
  dependenciesOf(name: string): ReadonlySet<string> {
    return this.#dependencies.get(name) ?? nothing;
  }

  /** What calls `name`, directly. */
  dependantsOf(name: string): ReadonlySet<string> {
    return this.#dependants.get(name) ?? nothing;
  }

  /** How many services `name` calls or is called by. */
  degreeOf(name: string): number {
    return this.dependenciesOf(name).size + this.dependantsOf(name).size;
  }

  /** What `name` depends on over at most three calls, without itself. Worked out once per service. */
  upstreamOf(name: string): ReadonlySet<string> {
    const known = this.#upstream.get(name);
    if (known) return known;
    const upstream = new Set<string>();
    let frontier: readonly string[] = [name];
    for (let hop = 0; hop < maxUpstreamHops; hop++) {
      const next: string[] = [];
      for (const caller of frontier) {
        for (const callee of this.dependenciesOf(caller)) {
          if (callee === name || upstream.has(callee)) continue;
          upstream.add(callee);
          next.push(callee);
        }
      }
      frontier = next;
    }
    this.#upstream.set(name, upstream);
    return upstream;
  }

  /** The services within two hops of `name`, without itself. Of several paths the shortest and then the first in the catalog counts. */
  near(name: string): ReadonlyMap<string, ServicePath> {
    let near = this.#near.get(name);
    if (!near) {
      near = this.#findNear(name);
      this.#near.set(name, near);
    }
    return near;
  }

  #findNear(name: string): ReadonlyMap<string, ServicePath> {
    const near = new Map<string, ServicePath>();
    const callees = this.dependenciesOf(name);
    const callers = this.dependantsOf(name);
    for (const callee of callees) near.set(callee, { hops: 1, relation: 'calls', via: null });
    for (const caller of callers)
      if (!near.has(caller)) near.set(caller, { hops: 1, relation: 'called_by', via: null });
    const addSecond = (other: string, relation: ServicePath['relation'], via: string) => {
      if (other !== name && !near.has(other)) near.set(other, { hops: 2, relation, via });
    };
    for (const via of callees) {
      for (const other of this.dependenciesOf(via)) addSecond(other, 'calls', via);
      for (const other of this.dependantsOf(via)) addSecond(other, 'shares', via);
    }
    for (const via of callers) {
      for (const other of this.dependantsOf(via)) addSecond(other, 'called_by', via);
      for (const other of this.dependenciesOf(via)) addSecond(other, 'shares', via);
    }
    return near;
  }
}

/** The service graph of a whole parsed configuration (sections `services` and `correlate.service_labels`); empty for null. */
export function readServiceGraph(config: Readonly<Record<string, unknown>> | null): ServiceGraph {
  const { services, correlate } = sectionsOfInterest.parse(config ?? {});
  return new ServiceGraph(services, correlate.service_labels);
}

const maxUpstreamHops = 3;
/** Labels whose values begin with the name of a service where people or Kubernetes named them so. */
const placeLabels = [
  'pod',
  'pod_name',
  'deployment',
  'container',
  'instance',
  'host',
  'hostname',
  'node',
] as const;
const maxPlaceLength = 120;
const nothing: ReadonlySet<string> = new Set();

function addTo(sets: Map<string, Set<string>>, key: string, value: string): void {
  const set = sets.get(key);
  if (set) set.add(value);
  else sets.set(key, new Set([value]));
}
