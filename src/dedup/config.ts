import { z } from 'zod';
import { durationSchema } from '../alert/index.ts';
import { keyRule } from './key-rule.ts';

const ratio = z.number().min(0).max(1);
const labelNames = z.array(z.string().min(1));

/** Section `dedup.flapping`: when a signal that comes and goes counts as flapping. */
const flappingConfig = z
  .strictObject({
    /** Without it every signal resolves with the last of its alerts. */
    enabled: z.boolean().default(true),
    /** State changes that are looked at. */
    changes: z.int().min(4).max(100).default(20),
    /** Older changes count as none. */
    window: durationSchema.prefault('1h'),
    /** A signal flaps from a weighted share of changes above this on: from the third time on that it fires within the window ... */
    start: ratio.default(0.25),
    /**
     * ... until its share is below this, or until nothing has changed for `quiet`, or for twice the usual time between its changes. It does
     * not resolve before that.
     */
    stop: ratio.default(0.15),
    quiet: durationSchema.prefault('10m'),
  })
  .refine(({ start, stop }) => stop <= start, { path: ['stop'], error: 'must not be above start' })
  .prefault({});

/** Section `dedup`: what is taken as one thing. */
export const dedupConfig = z
  .strictObject({
    /** Take alerts together that came under one key of their sender's (`dedup_key`, `alias`), and no others with them. */
    caller_keys: z.boolean().default(true),
    /** Keys for alerts whose sender gave none. The first rule that matches and finds all its labels counts. */
    keys: z.array(keyRule).default([]),
    /** Take alerts together whose texts are nearly the same. Without it only equal label sets are one thing. */
    near_duplicates: z.boolean().default(true),
    /** Estimated Jaccard similarity of masked texts from which on they are nearly the same; 1 wants them equal. */
    similarity: ratio.min(0.5).default(0.9),
    /** Alerts that differ in one of these labels are never near-duplicates. The domain always counts. */
    protected_labels: labelNames.default([
      'alertname',
      'severity',
      'environment',
      'env',
      'region',
      'zone',
      'datacenter',
      'site',
      'cluster',
      'tenant',
      'tenant_id',
      'customer',
      'customer_id',
      'account',
      'account_id',
      'project',
      'project_id',
      'namespace',
      'service',
      'job',
      'host',
      'hostname',
      'instance',
      'instance_id',
      'node',
      'device',
    ]),
    /** More such labels, without repeating the defaults. */
    split_by: labelNames.default([]),
    /** Of these labels only the name before ordinals and random suffixes counts. All other labels must be equal after masking. */
    varying_labels: labelNames.default([
      'pod',
      'pod_name',
      'container_id',
      'ip',
      'replica',
      'prometheus',
      'prometheus_replica',
    ]),
    /** The label that holds the severity. An alert never joins a signal of a lower one. */
    severity_label: z.string().min(1).default('severity'),
    /** A fingerprint that fires again so soon after its signal resolved reopens that signal. */
    reopen_window: durationSchema.prefault('5m'),
    /** How long a resolved signal is remembered. */
    retention: durationSchema.prefault('1h'),
    flapping: flappingConfig,
  })
  .refine(({ retention, reopen_window }) => retention >= reopen_window, {
    path: ['retention'],
    error: 'must not be shorter than reopen_window',
  });

export type DedupConfig = z.output<typeof dedupConfig>;
