import { z } from 'zod';
import { behaviourFeatures } from './matrix.ts';

const featureVector = z.array(z.number()).length(behaviourFeatures.length);

/** The file `model.json` of a trained model. */
export const modelFile = z.strictObject({
  name: z.string().min(1),
  features: z.array(z.string()),
  /** Median of each feature over the training data. */
  centre: featureVector,
  /** Robust standard deviation of each feature, at least 0.25. */
  scale: z.array(z.number().positive()).length(behaviourFeatures.length),
  /** Cluster centres, in scaled features. */
  centroids: z.array(featureVector).min(1).max(64),
  /** `[p, d]`: a share p of the training data lies at d or further from its nearest centroid. p falls, d rises. */
  tail: z.array(z.tuple([z.number().positive().max(1), z.number().min(0)])).min(1),
});

/** The file `manifest.json` beside it. */
export const modelManifest = z.strictObject({
  name: z.string().min(1),
  features: z.array(z.string()),
  clusters: z.int().min(1),
  /** Mean silhouette by number of clusters tried. */
  silhouettes: z.record(z.string(), z.number()),
  seed: z.int(),
  training_rows: z.int(),
  held_out_rows: z.int(),
  /** First and last moment of the training data. */
  data_from: z.string(),
  data_until: z.string(),
  data_sha256: z.string(),
  model_sha256: z.string(),
  code_version: z.string(),
});

export type ModelManifest = z.output<typeof modelManifest>;

/**
 * Behaviour clusters as plain data. It travels in the payload of the config entry as `model`, because what it says
 * changes what the fold concludes: a replay must see the model that was in force, not the one that is installed.
 */
export interface ScoreModel extends z.output<typeof modelFile> {
  /** SHA-256 of `model.json`, hex. */
  readonly hash: string;
}

/** Whether this code computes the features that `model` was trained on. */
export function fitsFeatures(features: readonly string[]): boolean {
  return (
    features.length === behaviourFeatures.length &&
    behaviourFeatures.every((name, index) => features[index] === name)
  );
}
