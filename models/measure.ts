import { column, stabilityIndex, binOf } from '../src/score/index.ts';
import { describeBehaviour, type ObservedBehaviour } from './behaviours.ts';
import type { HeldOutMetrics } from './model-card.ts';

/** A model as far as it is measured. */
export interface Measured {
  readonly tail: readonly (readonly [p: number, distance: number])[];
  readonly bins: readonly { readonly edges: readonly number[]; readonly shares: readonly number[] }[];
  /** To the nearest centroid, of unscaled features. */
  readonly distanceOf: (features: readonly number[]) => number;
  readonly silhouetteOf: (behaviours: readonly ObservedBehaviour[]) => number;
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

/**
 * Measures a model on behaviours that it was not trained on: `heldOut` thinned as the training was, `ends` all that the watch for drift
 * would see, `other` of another stream or null.
 */
export function measure(
  model: Measured,
  heldOut: readonly ObservedBehaviour[],
  ends: readonly ObservedBehaviour[],
  other: readonly ObservedBehaviour[] | null,
): HeldOutMetrics {
  const { tail, bins, distanceOf } = model;
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
  return {
    calibration: tail.map(([p, distance]) => [p, shareFrom(calm, distance)]),
    silhouette: model.silhouetteOf(heldOut),
    detection: disturbed.map(({ disturbance, distances }) => [disturbance, shareFrom(distances, alarmAt)]),
    falseAlarms: shareFrom(calm, alarmAt),
    auc: areaUnderRoc(
      calm,
      disturbed.flatMap(({ distances }) => distances),
    ),
    stability: bins.map(({ edges, shares }, feature) => {
      const counts = shares.map(() => 0);
      for (const { features } of ends) counts[binOf(features[feature]!, edges)]! += 1;
      return stabilityIndex(counts, shares);
    }),
    otherStream:
      other &&
      shareFrom(
        other.map(({ features }) => distanceOf(features)),
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
