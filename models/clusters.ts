import { kmeans } from 'ml-kmeans';
import { median, medianAbsoluteDeviation, quantile } from 'simple-statistics';
import { behaviourFeatures, binOf } from '../src/score/index.ts';

export interface Scaling {
  readonly centre: readonly number[];
  readonly scale: readonly number[];
}

/** A feature that hardly varies must not blow up the distance: see `ScoreModel.scale`. */
const leastScale = 0.25;
const tailProbabilities = [0.5, 0.25, 0.1, 0.05, 0.02];
const deciles = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

/** Median and robust standard deviation of each feature. */
export function fitScaling(vectors: readonly (readonly number[])[]): Scaling {
  const columns = vectors[0]!.map((_, feature) => vectors.map((vector) => vector[feature]!));
  return {
    centre: columns.map((values) => round(median(values))),
    scale: columns.map((values) => round(Math.max(leastScale, 1.4826 * medianAbsoluteDeviation(values)))),
  };
}

export function scaleVector(vector: readonly number[], { centre, scale }: Scaling): number[] {
  return vector.map((value, feature) => (value - centre[feature]!) / scale[feature]!);
}

/** Centres of `clusters` clusters, rounded to six digits so that the artifact reads well. */
export function fitCentroids(vectors: number[][], clusters: number, seed: number): number[][] {
  return kmeans(vectors, clusters, { seed, maxIterations: 200 }).centroids.map((centroid) =>
    centroid.map(round),
  );
}

/** Distance to the nearest centroid. */
export function nearestDistance(
  vector: readonly number[],
  centroids: readonly (readonly number[])[],
): number {
  return Math.min(...centroids.map((centroid) => distance(vector, centroid)));
}

/**
 * See `ScoreModel.bins`: edges at the deciles, those that fall together once. Hours of the day in which a kind has ever been seen only
 * grow, and tell how long it has been watched rather than what it does: all of them are one bin, so that they never drift.
 */
export function fitBins(vectors: readonly (readonly number[])[]): { edges: number[]; shares: number[] }[] {
  return vectors[0]!.map((_, feature) => {
    const values = vectors.map((vector) => vector[feature]!);
    if (behaviourFeatures[feature] === 'active_hours_ratio') return { edges: [], shares: [1] };
    const edges = [...new Set(deciles.map((p) => round(quantile(values, p))))];
    const counts = [...edges, 0].map(() => 0);
    for (const value of values) counts[binOf(value, edges)]! += 1;
    return { edges, shares: counts.map((count) => round(count / values.length)) };
  });
}

/** See `ScoreModel.tail`. */
export function fitTail(distances: number[]): [number, number][] {
  return tailProbabilities.map((p) => [p, round(quantile(distances, 1 - p))]);
}

/**
 * Mean silhouette of a clustering, in [-1, 1] (Rousseeuw 1987): how much nearer each vector is to its own cluster than
 * to the next one. Cost is quadratic in the number of vectors.
 */
export function silhouette(
  vectors: readonly (readonly number[])[],
  centroids: readonly (readonly number[])[],
): number {
  const own = vectors.map((vector) => nearestIndex(vector, centroids));
  let sum = 0;
  for (const [i, vector] of vectors.entries()) {
    const sums = centroids.map(() => 0);
    const sizes = centroids.map(() => 0);
    for (const [j, other] of vectors.entries()) {
      if (i === j) continue;
      sums[own[j]!]! += distance(vector, other);
      sizes[own[j]!]! += 1;
    }
    const mean = sums.map((total, cluster) =>
      sizes[cluster]! > 0 ? total / sizes[cluster]! : Number.POSITIVE_INFINITY,
    );
    const inner = mean[own[i]!]!;
    const outer = Math.min(...mean.filter((_, cluster) => cluster !== own[i]));
    if (Number.isFinite(inner) && Number.isFinite(outer))
      sum += (outer - inner) / Math.max(inner, outer, 1e-12);
  }
  return sum / vectors.length;
}

function nearestIndex(vector: readonly number[], centroids: readonly (readonly number[])[]): number {
  const distances = centroids.map((centroid) => distance(vector, centroid));
  return distances.indexOf(Math.min(...distances));
}

function distance(a: readonly number[], b: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2;
  return Math.sqrt(sum);
}

export function round(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}
