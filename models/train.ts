/**
 * Trains the behaviour clusters: `node models/train.ts [output folder]`. Reads fixtures/training/quiet-weeks.csv, writes
 * model.json, manifest.json and MODEL_CARD.md. The same data and code give the same bytes.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { behaviourFeatures, column, sha256, type ModelManifest } from '../src/score/index.ts';
import { describeBehaviour, observeBehaviours, type ObservedBehaviour } from './behaviours.ts';
import {
  fitCentroids,
  fitScaling,
  fitTail,
  nearestDistance,
  round,
  scaleVector,
  silhouette,
} from './clusters.ts';
import { renderModelCard, type HeldOutMetrics } from './model-card.ts';
import { parsePeriods, periodMs } from './periods.ts';
import { generateQuietWeeks } from './quiet-weeks.ts';

const name = 'alert-stream';
const seed = 42;
/** Raise it when features, scaling or clustering change. */
const codeVersion = 'train/1';
const clusterCounts = [3, 4, 5, 6, 7, 8, 9, 10];
/** At most so many behaviours of one kind, so that heartbeats do not decide everything. */
const perKind = 120;
const weekMs = 7 * 86_400_000;
const root = fileURLToPath(new URL('..', import.meta.url));

/** Trains and writes into `folder`. */
export function train(folder: string): void {
  const dataText = readFileSync(join(root, 'fixtures/training/quiet-weeks.csv'), 'utf8');
  const periods = parsePeriods(dataText);
  const fromMs = periods[0]!.period * periodMs;
  const untilMs = fromMs + 4 * weekMs;
  const observed = observeBehaviours(periods);
  const training = thin(observed.filter(({ timeMs }) => timeMs < fromMs + 3 * weekMs));
  const heldOut = thin(observed.filter(({ timeMs }) => timeMs >= fromMs + 3 * weekMs));

  const scaling = fitScaling(training.map(({ features }) => features));
  const vectors = training.map(({ features }) => scaleVector(features, scaling));
  const tried = clusterCounts.map((clusters) => {
    const centroids = fitCentroids(vectors, clusters, seed);
    return { clusters, centroids, silhouette: round(silhouette(vectors, centroids)) };
  });
  const best = tried.reduce((a, b) => (b.silhouette > a.silhouette ? b : a));
  const tail = fitTail(vectors.map((vector) => nearestDistance(vector, best.centroids)));
  const distanceOf = (features: readonly number[]) =>
    nearestDistance(scaleVector(features, scaling), best.centroids);

  const model = { name, features: behaviourFeatures, ...scaling, centroids: best.centroids, tail };
  const modelText = `${JSON.stringify(model, null, 1)}\n`;
  const manifest: ModelManifest = {
    name,
    features: [...behaviourFeatures],
    clusters: best.clusters,
    silhouettes: Object.fromEntries(tried.map(({ clusters, silhouette }) => [clusters, silhouette])),
    seed,
    training_rows: training.length,
    held_out_rows: heldOut.length,
    data_from: new Date(fromMs).toISOString(),
    data_until: new Date(untilMs).toISOString(),
    data_sha256: sha256(dataText),
    model_sha256: sha256(modelText),
    code_version: codeVersion,
  };
  const metrics = measure(heldOut, tail, distanceOf, (behaviours) =>
    silhouette(
      behaviours.map(({ features }) => scaleVector(features, scaling)),
      best.centroids,
    ),
  );
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'model.json'), modelText);
  writeFileSync(join(folder, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  writeFileSync(join(folder, 'MODEL_CARD.md'), renderModelCard(manifest, metrics));
}

/** Things that go wrong with a behaviour: each changes a copy of the row. */
const disturbances: Readonly<Record<string, (row: Float64Array) => void>> = {
  'ten times the alerts': (row) => {
    row[column.count]! *= 10;
    row[column.fired]! *= 10;
  },
  'starts to flap': (row) => {
    row[column.count]! += 20;
    row[column.fired]! += 20;
    row[column.resolved]! += 20;
  },
  'silent for thirty times as long': (row) => {
    row[column.gap] = Math.max(0, row[column.gap]!) + Math.log2(30);
  },
};

function measure(
  heldOut: readonly ObservedBehaviour[],
  tail: readonly (readonly [number, number])[],
  distanceOf: (features: readonly number[]) => number,
  silhouetteOf: (behaviours: readonly ObservedBehaviour[]) => number,
): HeldOutMetrics {
  const calm = heldOut.map(({ features }) => distanceOf(features));
  const alarmAt = tail.find(([p]) => p === 0.05)![1];
  const disturbed = Object.entries(disturbances).map(([disturbance, disturb]) => {
    const distances = heldOut.map(({ row }) => {
      const copy = row.slice();
      disturb(copy);
      return distanceOf(describeBehaviour(copy));
    });
    return { disturbance, distances };
  });
  const other = generateQuietWeeks({ seed: 77, fromMs: Date.UTC(2026, 2, 2), weeks: 3 });
  return {
    calibration: tail.map(([p, distance]) => [p, shareFrom(calm, distance)]),
    silhouette: silhouetteOf(heldOut),
    detection: disturbed.map(({ disturbance, distances }) => [disturbance, shareFrom(distances, alarmAt)]),
    falseAlarms: shareFrom(calm, alarmAt),
    auc: areaUnderRoc(
      calm,
      disturbed.flatMap(({ distances }) => distances),
    ),
    otherStream: shareFrom(
      thin(observeBehaviours(other)).map(({ features }) => distanceOf(features)),
      alarmAt,
    ),
  };
}

function shareFrom(distances: readonly number[], from: number): number {
  return distances.filter((distance) => distance >= from).length / distances.length;
}

/** The probability that a disturbed behaviour lies further out than a calm one; ties count half. */
function areaUnderRoc(calm: readonly number[], disturbed: readonly number[]): number {
  let wins = 0;
  for (const far of disturbed) for (const near of calm) wins += far > near ? 1 : far === near ? 0.5 : 0;
  return wins / (calm.length * disturbed.length);
}

/** At most `perKind` behaviours of each kind, evenly spread. */
function thin(observed: readonly ObservedBehaviour[]): ObservedBehaviour[] {
  return [...Map.groupBy(observed, ({ kind }) => kind).values()].flatMap((ofKind) => {
    const count = Math.min(perKind, ofKind.length);
    return Array.from({ length: count }, (_, i) => ofKind[Math.floor((i * ofKind.length) / count)]!);
  });
}

if (import.meta.main) {
  const folder = process.argv[2] ?? join(root, 'models', name);
  train(folder);
  console.log(`model written to ${folder}`);
}
