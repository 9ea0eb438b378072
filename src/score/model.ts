import { createHash } from 'node:crypto';
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
  /**
   * Of each feature how its values were spread over the periods of the training data as they ended: `shares[i]` lay above `edges[i - 1]`
   * and at or below `edges[i]`. Absent in models of the first version, whose drift is not watched.
   */
  bins: z
    .array(
      z
        .strictObject({ edges: z.array(z.number()).max(32), shares: z.array(z.number().min(0).max(1)) })
        .refine(
          ({ edges, shares }) => shares.length === edges.length + 1,
          'expected one share more than edges',
        ),
    )
    .length(behaviourFeatures.length)
    .optional(),
  /** The training data were made and not received: a stream that differs from them says nothing. */
  generated: z.boolean().optional(),
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
  /** Where they came from, for people. */
  data: z.string().optional(),
  /** Alerts in them, and kinds of alerts. */
  data_alerts: z.int().optional(),
  data_kinds: z.int().optional(),
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

/** The files of a model as they are on disk: what a command carries, so that every reader of the log checks them alike. */
export interface ModelTexts {
  readonly modelText: string;
  readonly manifestText: string;
}

export type ReadModelOutcome =
  | { readonly ok: true; readonly model: ScoreModel; readonly manifest: ModelManifest }
  /** `why` completes the sentence `the model is refused: ...`. */
  | { readonly ok: false; readonly why: string };

/** Checks that a model is what its manifest says, and that this code computes its features. Pure. */
export function readScoreModel({ modelText, manifestText }: ModelTexts): ReadModelOutcome {
  const manifest = modelManifest.safeParse(parseJson(manifestText));
  if (!manifest.success) return refuse(`manifest.json is not a manifest: ${firstIssue(manifest.error)}`);
  const hash = sha256(modelText);
  if (hash !== manifest.data.model_sha256) {
    return refuse(`model.json has SHA-256 ${hash}, its manifest says ${manifest.data.model_sha256}`);
  }
  const model = modelFile.safeParse(parseJson(modelText));
  if (!model.success) return refuse(`model.json is not a model: ${firstIssue(model.error)}`);
  for (const features of [model.data.features, manifest.data.features]) {
    if (fitsFeatures(features)) continue;
    const [theirs, ours] = [features.join(', '), behaviourFeatures.join(', ')];
    return refuse(`it was trained on the features ${theirs}; this version computes ${ours}`);
  }
  return { ok: true, model: { ...model.data, hash }, manifest: manifest.data };
}

/** SHA-256 of a text in UTF-8, hex. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function refuse(why: string): ReadModelOutcome {
  return { ok: false, why };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function firstIssue({ issues: [issue] }: z.ZodError): string {
  return issue ? [issue.path.join('.'), issue.message].filter((part) => part !== '').join(': ') : 'no reason';
}
