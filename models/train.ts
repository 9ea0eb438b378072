import { TocsinError } from '../src/engine/index.ts';
import { behaviourFeatures, sha256, type ModelManifest } from '../src/score/index.ts';
import { observeBehaviours, type ObservedBehaviour } from './behaviours.ts';
import {
  fitBins,
  fitCentroids,
  fitScaling,
  fitTail,
  nearestDistance,
  round,
  scaleVector,
  silhouette,
} from './clusters.ts';
import { measure } from './measure.ts';
import { renderModelCard } from './model-card.ts';
import { formatPeriods, periodMs, type ObservedPeriod } from './periods.ts';

export interface TrainingOptions {
  readonly name: string;
  /** Where the periods come from, for the card and the manifest. */
  readonly data: string;
  /** The periods were made and not received. */
  readonly isGenerated: boolean;
  /** Another generated stream to measure on; null where there is none. */
  readonly other: readonly ObservedPeriod[] | null;
}

/** What training gives: the texts of its files. `dataText` is what it read, by which it can be repeated. */
export interface TrainedModel {
  readonly modelText: string;
  readonly manifestText: string;
  readonly cardText: string;
  readonly dataText: string;
}

const seed = 42;
/** Raise it when features, scaling or clustering change. */
const codeVersion = 'train/2';
const clusterCounts = [3, 4, 5, 6, 7, 8, 9, 10];
/** At most so many behaviours of one kind, so that heartbeats do not decide everything ... */
const perKind = 120;
/** ... and at most so many in all: the silhouette costs their square. */
const mostBehaviours = 2400;
const leastBehaviours = 200;
/** The last quarter of the time is held out. */
const trainingShare = 0.75;

/**
 * Trains behaviour clusters on periods, which are in the order of time. The same periods, options and code give the same texts.
 * Throws TOC_TRAINING_TOO_SHORT where too few periods belong to kinds that are known by then.
 */
export function trainModel(periods: readonly ObservedPeriod[], options: TrainingOptions): TrainedModel {
  const observed = observeBehaviours(periods);
  const fromMs = (periods[0]?.period ?? 0) * periodMs;
  const untilMs = ((periods.at(-1)?.period ?? -1) + 1) * periodMs;
  const splitMs = fromMs + trainingShare * (untilMs - fromMs);
  const [before, after] = [
    observed.filter(({ timeMs }) => timeMs < splitMs),
    observed.filter(({ timeMs }) => timeMs >= splitMs),
  ];
  const training = thin(before);
  const heldOut = thin(after);
  requireEnough(training, heldOut, before);

  const scaling = fitScaling(training.map(({ features }) => features));
  const vectors = training.map(({ features }) => scaleVector(features, scaling));
  const tried = clusterCounts.map((clusters) => {
    const centroids = fitCentroids(vectors, clusters, seed);
    return { clusters, centroids, silhouette: round(silhouette(vectors, centroids)) };
  });
  const best = tried.reduce((a, b) => (b.silhouette > a.silhouette ? b : a));
  const tail = fitTail(vectors.map((vector) => nearestDistance(vector, best.centroids)));
  const bins = fitBins(before.filter(({ isEnd }) => isEnd).map(({ features }) => features));

  const { name, data, isGenerated } = options;
  const model = {
    name,
    features: behaviourFeatures,
    ...scaling,
    centroids: best.centroids,
    tail,
    bins,
    generated: isGenerated,
  };
  const modelText = `${JSON.stringify(model, null, 1)}\n`;
  const dataText = formatPeriods(periods);
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
    data,
    data_alerts: periods.reduce((sum, { count }) => sum + count, 0),
    data_kinds: new Set(periods.map(({ kind }) => kind)).size,
    data_sha256: sha256(dataText),
    model_sha256: sha256(modelText),
    code_version: codeVersion,
  };
  const scaled = (behaviours: readonly ObservedBehaviour[]): number[][] =>
    behaviours.map(({ features }) => scaleVector(features, scaling));
  const metrics = measure(
    {
      tail,
      bins,
      distanceOf: (features) => nearestDistance(scaleVector(features, scaling), best.centroids),
      silhouetteOf: (behaviours) => silhouette(scaled(behaviours), best.centroids),
    },
    heldOut,
    after.filter(({ isEnd }) => isEnd),
    options.other && thin(observeBehaviours(options.other)),
  );
  return {
    modelText,
    manifestText: `${JSON.stringify(manifest, null, 2)}\n`,
    cardText: renderModelCard(manifest, metrics, isGenerated),
    dataText,
  };
}

function requireEnough(
  training: readonly ObservedBehaviour[],
  heldOut: readonly ObservedBehaviour[],
  before: readonly ObservedBehaviour[],
): void {
  const ends = before.filter(({ isEnd }) => isEnd).length;
  if (training.length >= leastBehaviours && heldOut.length >= leastBehaviours / 4 && ends > 0) return;
  throw new TocsinError(
    'TOC_TRAINING_TOO_SHORT',
    `${training.length} behaviours to train on and ${heldOut.length} to measure on, where ${leastBehaviours} and ${leastBehaviours / 4} are needed; ` +
      'a kind gives some once it has been seen in 8 periods of five minutes',
  );
}

/** Of those that are fitted at most `perKind` of each kind, evenly spread, and of all of them at most `mostBehaviours`. */
function thin(observed: readonly ObservedBehaviour[]): ObservedBehaviour[] {
  const fitted = observed.filter(({ isFitted }) => isFitted);
  const thinned = [...Map.groupBy(fitted, ({ kind }) => kind).values()].flatMap((ofKind) =>
    spread(ofKind, perKind),
  );
  return spread(thinned, mostBehaviours);
}

function spread<Item>(items: readonly Item[], limit: number): Item[] {
  const count = Math.min(limit, items.length);
  return Array.from({ length: count }, (_, i) => items[Math.floor((i * items.length) / count)]!);
}
