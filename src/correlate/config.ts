import { z } from 'zod';
import { durationSchema } from '../alert/index.ts';
import { serviceLabelsConfig } from '../incident/index.ts';

/** The section `correlate`: when signals belong to one incident. Weights and thresholds are in log-odds (natural logarithm). */
export const correlateConfig = z
  .strictObject({
    /** A signal joins the incident that has at least this much evidence for it. Higher: smaller incidents. */
    threshold: z.number().min(0).max(100).default(4),
    /** Two incidents become one when a signal has at least this much evidence for each of them. */
    merge_threshold: z.number().min(0).max(100).default(6),
    /** How long after its last new signal an open incident takes in others. */
    window: durationSchema.prefault('10m'),
    /** The typical time between two signals of one incident; evidence fades beyond it. */
    time_scale: durationSchema.refine((ms) => ms > 0, 'must be more than zero').prefault('5s'),
    /** The same for signals on one service of the catalog, or on two that depend on each other: trouble takes its time. */
    cascade_scale: durationSchema.refine((ms) => ms > 0, 'must be more than zero').prefault('1m'),
    /** A resolved incident reopens when its own or a similar signal returns within this time. */
    reopen_window: durationSchema.prefault('5m'),
    /** An incident whose signals still fire is closed when nothing about them has changed for this long. */
    max_idle: durationSchema.prefault('7d'),
    /** How long resolved incidents are remembered here, for undo and for questions. */
    retention: durationSchema.prefault('24h'),
    /** An incident that has this many signals takes in no more. */
    max_signals: z.int().min(2).max(100_000).default(2000),
    /** A value shared by more active incidents than this is a hub and finds none of them. */
    max_postings: z.int().min(1).max(10_000).default(64),
    /** Labels that may name the service of an alert; the first one present counts. */
    service_labels: serviceLabelsConfig,
    /** Labels that name a thing (a machine, a pod): until enough is learned a shared value of these counts as rare. */
    entity_labels: z
      .array(z.string().min(1))
      .default([
        'host',
        'hostname',
        'instance',
        'node',
        'pod',
        'container',
        'device',
        'ip',
        'database',
        'queue',
      ]),
    /** Labels that say nothing about belonging together. */
    ignore_labels: z.array(z.string().min(1)).default(['severity', 'priority', 'level', 'alertstate']),
  })
  .refine((config) => config.retention >= config.reopen_window, {
    path: ['retention'],
    error: 'must not be shorter than reopen_window',
  })
  .refine((config) => config.merge_threshold >= config.threshold, {
    path: ['merge_threshold'],
    error: 'must not be below threshold',
  });

export type CorrelateConfig = z.output<typeof correlateConfig>;
