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
      /**
       * Processes that name the same queue share the messages of core NATS among them; where none is named each takes all. The gateways of a
       * fleet share one unless told otherwise.
       */
      queue: z
        .string()
        .regex(/^[^\s*>.]+$/, 'must be a word without dots and wildcards')
        .optional(),
      /**
       * What the subjects begin with that requests of core NATS are answered at: those of clients, and of services that another account imports.
       * What wants its answer elsewhere is taken without one.
       */
      inbox_prefixes: z
        .array(z.string().regex(/^[^\s*>$.][^\s*>]*$/, 'must be the beginning of a subject, and not $'))
        .default(['_INBOX', '_R_.']),
      /** Name of the durable consumer on that stream. */
      consumer: z.string().min(1).default('tocsin'),
      /**
       * Where messages go of which something could not be read, with the reason; null or an empty text for nowhere. A JetStream stream
       * on it keeps them.
       */
      dead_letter_subject: z
        .string()
        .regex(/^[^\s*>.]+(?:\.[^\s*>.]+)*$/, 'must be a subject without wildcards, such as tocsin.dead')
        .or(z.literal('').transform(() => null))
        .nullable()
        .default('tocsin.dead'),
    })
    .refine(
      ({ subject, dead_letter_subject }) =>
        dead_letter_subject === null || !isIngested(subject, dead_letter_subject),
      {
        message:
          'must not be a subject that alerts are taken from: what is wrong with them would come in again',
        path: ['dead_letter_subject'],
      },
    )
    .prefault({}),
});

/** The subject is among those that are taken in from a pattern that ends in `.*`. */
export function isIngested(pattern: string, subject: string): boolean {
  const prefix = pattern.slice(0, -1);
  return subject.startsWith(prefix) && !subject.slice(prefix.length).includes('.');
}

export type GlobalConfig = z.output<typeof globalConfig>;
export type SourceConfig = z.output<typeof sourceConfig>;
export type NatsConfig = z.output<typeof natsConfig>;
