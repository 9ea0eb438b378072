import type { Effect } from '../engine/index.ts';
import type { RecallEffect, RecallResult, SimilarIncident } from '../incident/index.ts';
import { bandsOf } from './bands.ts';
import { timeColumn } from './columns.ts';
import type { HistoryDatabase } from './database.ts';

export interface RecallOptions {
  /** After this long the history counts as missing. */
  readonly timeoutMs: number;
  /** Called when the history did not answer. */
  readonly onProblem: (error: unknown) => void;
}

/**
 * Carries out an effect of kind `recall`. Without an answer from the history the result says `historyMissing`; rejects
 * only when it is told to stop.
 */
export type RecallCarrier = (effect: Effect, stop: AbortSignal) => Promise<RecallResult>;

/** Past incidents that are looked at more closely: those that share the most bands. */
const candidateLimit = 64;
/** Sketches of the asking incident that are used, as many as are kept of a past one. */
const sketchLimit = 16;
const minSimilarity = 0.1;

/** What each part says of the similarity of two incidents. A part that the asking incident has nothing of is left out. */
const weights = { text: 0.7, services: 0.2, labels: 0.1 };

/** Recall when there is no history to ask. */
export function createMissingRecall(): RecallCarrier {
  return () => Promise.resolve({ similar: [], historyMissing: true });
}

/**
 * Recall of similar past incidents: candidates by common LSH bands of their signals' MinHash sketches, then ranked by the
 * mean best Jaccard estimate of the sketches in both directions, with shared services and shared labels.
 * Finds incidents of the same domain that opened before the asking one, whatever their state, but not merged ones.
 */
export function createRecall(database: HistoryDatabase, options: RecallOptions): RecallCarrier {
  return async (effect, stop) => {
    const gaveUp = rejection(AbortSignal.any([stop, AbortSignal.timeout(options.timeoutMs)]));
    try {
      const { payload } = effect as RecallEffect;
      return { similar: await Promise.race([findSimilar(database, payload), gaveUp]), historyMissing: false };
    } catch (error) {
      stop.throwIfAborted();
      options.onProblem(error);
      return { similar: [], historyMissing: true };
    }
  };
}

/** Rejects when the signal is aborted. */
function rejection(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    else signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}

async function findSimilar(
  database: HistoryDatabase,
  payload: RecallEffect['payload'],
): Promise<readonly SimilarIncident[]> {
  const signatures = distinctSignatures(payload);
  if (signatures.length === 0) return [];
  const { domain, incidentId } = payload;
  const candidates = await database.query<{ incidentId: string }>(candidatesStatement, {
    domain,
    incidentId,
    before: timeColumn(payload.beforeMs),
    bands: [...new Set(signatures.flatMap(bandsOf))],
    limit: candidateLimit,
  });
  if (candidates.length === 0) return [];
  const ids = candidates.map((candidate) => candidate.incidentId);
  const [sketches, incidents] = await Promise.all([
    database.query<SketchRow>(sketchesStatement, {
      domain,
      ids,
      signatures,
      slots: signatures[0]?.length ?? 0,
    }),
    database.query<PastIncidentRow>(incidentsStatement, {
      domain,
      ids,
      before: timeColumn(payload.beforeMs),
    }),
  ]);
  const sketchOf = new Map(sketches.map((sketch) => [sketch.incidentId, sketch]));
  return incidents
    .filter(({ state }) => state !== 'merged')
    .map((incident) => rank(payload, incident, sketchOf.get(incident.incidentId)))
    .filter(({ similarity }) => similarity >= minSimilarity)
    .toSorted((a, b) => b.similarity - a.similarity || b.openedAtMs - a.openedAtMs)
    .slice(0, payload.limit);
}

/** The first sketches, each once, all of the first one's length. */
function distinctSignatures({ signatures }: RecallEffect['payload']): (readonly number[])[] {
  const distinct = new Map<string, readonly number[]>();
  for (const signature of signatures) {
    if (signature.length === 0 || signature.length !== signatures[0]?.length) continue;
    if (distinct.size < sketchLimit) distinct.set(signature.join(), signature);
  }
  return [...distinct.values()];
}

interface SketchRow {
  readonly incidentId: string;
  readonly similarity: number;
  readonly alertnames: readonly string[];
  readonly labelPairs: readonly string[];
}

interface PastIncidentRow {
  readonly incidentId: string;
  readonly state: string;
  readonly title: string;
  readonly priority: SimilarIncident['priority'];
  readonly services: readonly string[];
  readonly openedAtMs: number;
  readonly resolvedAtMs: number | null;
}

const maxSharedTexts = 12;

function rank(
  { services, labels }: RecallEffect['payload'],
  incident: PastIncidentRow,
  sketch: SketchRow | undefined,
): SimilarIncident {
  const asked = labelPairsOf(labels ?? []);
  const parts: (readonly [weight: number, similarity: number])[] = [[weights.text, sketch?.similarity ?? 0]];
  if (services.length > 0) parts.push([weights.services, jaccard(services, incident.services)]);
  if (asked.length > 0) parts.push([weights.labels, jaccard(asked, sketch?.labelPairs ?? [])]);
  const weightSum = parts.reduce((sum, [weight]) => sum + weight, 0);
  const similarity = parts.reduce((sum, [weight, part]) => sum + weight * part, 0) / weightSum;
  const shared = [
    ...common(services, incident.services).map((service) => `service ${service}`),
    ...(sketch?.alertnames ?? []).map((alertname) => `text of ${alertname}`),
    ...common(asked, sketch?.labelPairs ?? []),
  ];
  return {
    incidentId: incident.incidentId,
    title: incident.title,
    similarity,
    openedAtMs: incident.openedAtMs,
    resolvedAtMs: incident.resolvedAtMs,
    priority: incident.priority,
    shared: shared.slice(0, maxSharedTexts),
  };
}

function labelPairsOf(labels: NonNullable<RecallEffect['payload']['labels']>): readonly string[] {
  const pairs = new Set<string>();
  for (const one of labels) {
    for (let i = 0; i < one.length; i += 2) pairs.add(`${one[i]}=${one[i + 1]}`);
  }
  return [...pairs];
}

function common(a: readonly string[], b: readonly string[]): string[] {
  const other = new Set(b);
  return [...new Set(a)].filter((value) => other.has(value));
}

function jaccard(a: readonly string[], b: readonly string[]): number {
  const union = new Set([...a, ...b]).size;
  return union === 0 ? 0 : common(a, b).length / union;
}

const candidatesStatement = `
SELECT incident_id AS incidentId
FROM sketch_bands
WHERE domain = {domain:String}
  AND band IN {bands:Array(UInt64)}
  AND opened_at < {before:DateTime64(3, 'UTC')}
  AND incident_id != {incidentId:String}
GROUP BY incident_id
ORDER BY uniqExact(band) DESC, max(opened_at) DESC, incident_id
LIMIT {limit:UInt32}`;

/**
 * For each candidate the mean of the best matches, of the asked sketches among its own and the other way round.
 * A slot that agrees counts 1: the estimate of Jaccard similarity by MinHash (Broder 1997).
 */
const sketchesStatement = `
WITH {signatures:Array(Array(UInt32))} AS asked
SELECT incident_id AS incidentId,
  (arrayAvg(maxForEach(matches)) + avg(arrayMax(matches))) / 2 AS similarity,
  groupUniqArrayIf(alertname, arrayMax(matches) >= 0.5 AND alertname != '') AS alertnames,
  groupUniqArrayArray(labels) AS labelPairs
FROM
(
  SELECT incident_id, alertname, labels,
    arrayMap(a -> arrayCount((x, y) -> x = y, a, signature) / length(a), asked) AS matches
  FROM incident_sketches FINAL
  WHERE domain = {domain:String} AND incident_id IN {ids:Array(String)} AND length(signature) = {slots:UInt32}
)
GROUP BY incident_id`;

const incidentsStatement = `
SELECT incident_id AS incidentId, state, title, priority, services,
  toUnixTimestamp64Milli(opened_at) AS openedAtMs,
  toUnixTimestamp64Milli(resolved_at) AS resolvedAtMs
FROM incidents
WHERE domain = {domain:String} AND incident_id IN {ids:Array(String)} AND opened_at < {before:DateTime64(3, 'UTC')}
ORDER BY revision DESC
LIMIT 1 BY incident_id`;
