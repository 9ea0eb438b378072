import { z } from 'zod';
import { durationSchema } from '../alert/index.ts';

const probability = z.number().gt(0).lt(1);

/** Section `storms`: when so much comes at once that pages are summarised. Counts are of signals that open or return, by domain. */
export const stormsConfig = z
  .strictObject({
    /** Without it nothing is counted, and every incident pages for itself. */
    enabled: z.boolean().default(true),
    /** The length of time whose counts are compared. It divides an hour. */
    window: durationSchema
      .refine((ms) => ms >= 60_000 && 3_600_000 % ms === 0, 'must divide an hour and be at least 1m')
      .prefault('5m'),
    /** Fewer signals in a window are never a storm, however rare that is. */
    min_signals: z.int().min(2).default(30),
    /** A storm begins at a count that is less likely than this, given what is usual ... */
    start_probability: probability.default(1e-6),
    /** ... and is over once counts that are likelier than this have held for `calm_for`. */
    stop_probability: probability.default(0.01),
    calm_for: durationSchema.prefault('10m'),
    /** What lasts longer is no storm but the new usual, which is learned anew. */
    longest: durationSchema.prefault('6h'),
    /** Windows that must have been seen before what is usual is known. Until then a storm begins at `learning_signals` in a window. */
    learning_windows: z.int().min(2).default(24),
    learning_signals: z.int().min(2).default(100),
    /** Tell the receivers that were paged in a storm when it is over, and what it was. */
    report: z.boolean().default(true),
  })
  .refine((config) => config.start_probability <= config.stop_probability, {
    path: ['stop_probability'],
    error: 'must not be below start_probability',
  });

/** Section `transients`: first pages that wait a little, because what they are about is usually over by then. Never those of P1 and P2. */
export const transientsConfig = z.strictObject({
  enabled: z.boolean().default(true),
  /** How often a signal must have come and gone before anything is concluded from that. The last 32 times count. */
  min_episodes: z.int().min(3).max(32).default(8),
  /** The share of these times that it must have been over by itself. */
  share: z.number().min(0.5).max(1).default(0.8),
  /** No first page waits longer. */
  max_hold: durationSchema.prefault('5m'),
  /** What has not come for so long is forgotten. */
  forget_after: durationSchema.prefault('90d'),
  /** How many signals are remembered at most; beyond that those unseen for longest are forgotten. */
  max_signals: z.int().min(10).default(50_000),
});

export type StormsConfig = z.output<typeof stormsConfig>;
export type TransientsConfig = z.output<typeof transientsConfig>;
