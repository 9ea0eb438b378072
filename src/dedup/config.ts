import { z } from 'zod';
import { durationSchema } from '../alert/index.ts';

const ratio = z.number().min(0).max(1);

/** Section `dedup`: what is taken as one thing. */
export const dedupConfig = z.strictObject({
  /** Near-duplicates are alerts whose masked texts are estimated to be at least this similar (Jaccard); 1 turns them off. */
  similarity: ratio.min(0.5).default(0.8),
  /** Alerts that differ in one of these labels are never near-duplicates. */
  protected_labels: z
    .array(z.string().min(1))
    .default([
      'alertname',
      'severity',
      'domain',
      'environment',
      'env',
      'region',
      'cluster',
      'namespace',
      'service',
      'job',
      'host',
      'instance',
      'node',
      'device',
    ]),
  severity_label: z.string().min(1).default('severity'),
  /** A fingerprint that fires again so soon after its signal resolved reopens that signal. */
  reopen_window: durationSchema.prefault('5m'),
  /** How long a resolved signal is remembered. */
  retention: durationSchema.prefault('1h'),
  flapping: z
    .strictObject({
      /** State changes that are looked at. */
      changes: z.int().min(4).max(100).default(20),
      /** Older changes count as none. */
      window: durationSchema.prefault('1h'),
      /** Flapping begins when the weighted share of changes reaches this ... */
      start: ratio.default(0.5),
      /** ... and ends after so long without one. Until then a signal that flaps does not resolve. */
      quiet: durationSchema.prefault('10m'),
    })
    .prefault({}),
});

export type DedupConfig = z.output<typeof dedupConfig>;
