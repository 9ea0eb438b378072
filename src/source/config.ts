import { z } from 'zod';
import { durationSchema } from '../alert/index.ts';
import { natsConnectionConfig } from '../nats/index.ts';

/** Section `global`, as in Alertmanager. */
export const globalConfig = z.strictObject({
  /** An alert without `endsAt` counts as resolved when nobody has repeated it for so long. */
  resolve_timeout: durationSchema.prefault('5m'),
  /** How long a resolved alert is remembered, so that a late resolve changes nothing. */
  resolved_retention: durationSchema.prefault('15m'),
});

/** Section `source`: how reports are read. */
export const sourceConfig = z.strictObject({
  /** The domain of reports that name none. */
  default_domain: z.string().min(1).default('default'),
  /** The label whose value is an alert's domain, where it has that label. */
  domain_label: z.string().min(1).default('domain'),
  /** Larger request bodies are refused with 413. */
  max_body_bytes: z
    .int()
    .min(1024)
    .default(32 * 1024 * 1024),
});

/** Section `nats`: a NATS server to take reports from and to publish incidents to. */
export const natsConfig = natsConnectionConfig.safeExtend({
  ingest: z
    .strictObject({
      /** The last token of the subject is the domain. */
      subject: z
        .string()
        .regex(/^[^\s*>]+\.\*$/, 'must end in .* for the domain, such as tocsin.in.*')
        .default('tocsin.in.*'),
      /** Takes the messages from this JetStream stream, acknowledged once durable; without it from core NATS. */
      stream: z.string().min(1).optional(),
      /** Name of the durable consumer on that stream. */
      consumer: z.string().min(1).default('tocsin'),
      /** Where messages go of which something could not be read; without it they are only counted. */
      dead_letter_subject: z
        .string()
        .regex(/^[^\s*>]+$/, 'must be a subject without wildcards, such as tocsin.dead')
        .optional(),
    })
    .prefault({}),
});

export type GlobalConfig = z.output<typeof globalConfig>;
export type SourceConfig = z.output<typeof sourceConfig>;
export type NatsConfig = z.output<typeof natsConfig>;
