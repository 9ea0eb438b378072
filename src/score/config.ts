import { z } from 'zod';
import { durationSchema } from '../alert/index.ts';

/**
 * The section `score` of the configuration.
 * A *kind* is what a baseline is kept for: the alerts of one domain with one name (or text template) and one service.
 */
export const scoreConfig = z.strictObject({
  /** Length of the periods whose alerts are counted. It divides an hour. Another length starts all learning anew. */
  bucket: durationSchema
    .refine((ms) => ms >= 60_000 && 3_600_000 % ms === 0, 'must divide an hour and be at least 1m')
    .prefault('5m'),
  /** Periods with alerts of a kind that must have been seen before its surprise is given. */
  min_samples: z.int().min(3).max(32).default(8),
  /** How long a domain must have been watched before a kind never seen in it counts as news rather than as still to be learned ... */
  known_domain_after: durationSchema.prefault('7d'),
  /** ... or how many periods with alerts of any kind it must have shown. */
  known_domain_periods: z.int().min(1).default(500),
  /** What names a kind: the label `alertname` (the template where there is none), or always the template. */
  kind: z.enum(['alertname', 'template']).default('alertname'),
  /** The label that tells services apart. */
  service_label: z.string().min(1).default('service'),
  /** A kind not seen for so long is forgotten. */
  forget_after: durationSchema.prefault('90d'),
  /** Kinds remembered at most; beyond that those unseen for longest are forgotten. A rare kind takes 2 KB, one that is always there 35 KB. */
  max_kinds: z.int().min(10).default(20_000),
  /** Worker threads that score large batches; 0 scores everything on the main thread, `auto` takes one less than there are cores, at most 4. */
  workers: z.union([z.literal('auto'), z.int().min(0).max(64)]).default('auto'),
  /**
   * Batches with fewer rows are scored on the main thread: crossing to a worker and back costs 35 to 140 us, a row 1.5 to
   * 3 us (bench/score.ts, two cores). From the default on the crossing is a small part, and what workers gain is that
   * the main thread answers requests in the meantime instead of standing still for 2 ms and more.
   */
  min_rows_for_workers: z.int().min(1).default(1024),
  /** Behaviour clusters: `builtin`, `none`, or the path of a folder that `tocsin train` wrote. `tocsin models activate` overrides it. */
  model: z.string().min(1).default('builtin'),
  /** When Tocsin raises an alert of its own (`TocsinModelDrift`) because the model in force no longer fits. Generated models are not watched. */
  drift: z
    .strictObject({
      enabled: z.boolean().default(true),
      /** Population stability index of a feature from which on it has drifted; 0.25 is the customary mark of a major shift. */
      max_stability_index: z.number().positive().default(0.25),
      /** Share of behaviours further out than 98 % of the training data. */
      max_novel_share: z.number().positive().max(1).default(0.2),
      /** Largest distance between the share of surprises above 1 - p and p. */
      max_calibration_error: z.number().positive().max(1).default(0.15),
      /** Scored periods that must have been seen before anything is said. */
      min_periods: z.int().min(100).default(500),
    })
    .prefault({}),
});

export type ScoreConfig = z.output<typeof scoreConfig>;
