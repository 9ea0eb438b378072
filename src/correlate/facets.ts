import { labelPairs, type Labels } from '../alert/index.ts';
import type { ServiceGraph } from '../incident/index.ts';
import type { CorrelateConfig } from './config.ts';

/** What a signal is correlated by. */
export interface Facets {
  readonly service: string | null;
  /** What it shares with others by being equal: label values, service, template. Each has a rarity. */
  readonly values: readonly FacetValue[];
  /** Bands of its signature (locality-sensitive hashing): who shares one is probably similar in text. */
  readonly bands: readonly string[];
  /** What it says and where: what has the same kind is the same thing again. With its domain, so that it is unique. */
  readonly kind: string;
}

export interface FacetValue {
  /** Unique in its domain. */
  readonly key: string;
  /** For people: `host=web-1`. */
  readonly text: string;
  readonly kind: 'label' | 'name' | 'entity' | 'service' | 'template';
}

const rowsPerBand = 4;
const maxBands = 8;
const maxValueLength = 200;

/** What of a signal can be looked up: labels that count, its service, its template and its signature's bands. */
export function facetsOf(
  signal: {
    readonly domain: string;
    readonly labels: Labels;
    readonly template: string;
    readonly signature: readonly number[];
  },
  config: CorrelateConfig,
  graph: ServiceGraph,
): Facets {
  const service = graph.serviceOf(signal.labels);
  const values: FacetValue[] = [];
  for (const [name, value] of labelPairs(signal.labels)) {
    if (config.ignore_labels.includes(name)) continue;
    if (value === service && graph.isServiceLabel(name)) continue;
    const kind = name === 'alertname' ? 'name' : config.entity_labels.includes(name) ? 'entity' : 'label';
    const text = `${name}=${value.slice(0, maxValueLength)}`;
    values.push({ key: `l:${text}`, text, kind });
  }
  if (service !== null)
    values.push({ key: serviceKey(service), text: `service ${service}`, kind: 'service' });
  if (signal.template !== '') {
    values.push({
      key: `t:${signal.template.slice(0, maxValueLength)}`,
      text: 'same text',
      kind: 'template',
    });
  }
  return { service, values, bands: bandsOf(signal.signature), kind: kindOf(signal.domain, values) };
}

/** The alert's name, its text and all places, as a hash: two kinds are mistaken for one once in 2^32 pairs. */
function kindOf(domain: string, values: readonly FacetValue[]): string {
  let text = domain;
  for (const value of values) {
    if (value.kind !== 'label') text += `\n${value.key}`;
  }
  let [a, b] = [0x811c9dc5, 0x1b873593];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    a = Math.imul(a ^ code, 0x01000193);
    b = Math.imul(b ^ code, 0x85ebca6b);
  }
  return `${(a >>> 0).toString(36)}${(b >>> 0).toString(36)}`;
}

/** The key by which a kind is looked up. */
export function kindKey(kind: string): string {
  return `k:${kind}`;
}

/** Everything that candidates are looked up by. */
export function keysOf({ values, bands, kind }: Facets): string[] {
  return [...values.map(({ key }) => key), ...bands, kindKey(kind)];
}

/** Whether the value says where something happens. */
export function isPlace({ kind }: FacetValue): boolean {
  return kind === 'entity' || kind === 'service';
}

export function serviceKey(service: string): string {
  return `s:${service}`;
}

function bandsOf(signature: readonly number[]): string[] {
  const bands: string[] = [];
  const count = Math.min(maxBands, Math.floor(signature.length / rowsPerBand));
  for (let band = 0; band < count; band++) {
    let hash = 0x811c9dc5;
    for (let row = 0; row < rowsPerBand; row++) {
      hash = Math.imul(hash ^ (signature[band * rowsPerBand + row] ?? 0), 0x01000193);
      hash ^= hash >>> 15;
    }
    bands.push(`b:${band}:${hash >>> 0}`);
  }
  return bands;
}

/** Estimated Jaccard similarity of the texts behind two signatures: the share of equal slots (Broder 1997); 0 when their lengths differ. */
export function similarityOf(a: readonly number[], b: readonly number[]): number {
  if (a.length !== b.length || a.length === 0) return 0;
  let equal = 0;
  for (let i = 0; i < a.length; i++) if (a[i] === b[i]) equal++;
  return equal / a.length;
}
