import { z } from 'zod';

const epochSchema = z.object({
  id: z.string().min(1),
  generation: z.int().min(0),
  firstPosition: z.int().min(1),
});

/**
 * A stretch of the log that one leader wrote, from `firstPosition` up to the next epoch's. Each leader begins one of its own, with a
 * random id and a generation above all that it has heard of.
 */
export type Epoch = z.output<typeof epochSchema>;

export const standingSchema = z.object({
  /** Of one process in one life. Those that began earlier come first in order. */
  id: z.string().min(1),
  /** Where other members reach it, `host:port`; an empty host is the one that it calls from. */
  address: z.string(),
  /** A member that seeks has no leader that it can hear. */
  role: z.enum(['seeking', 'following', 'leading']),
  /** Whom it follows. */
  leaderId: z.string().nullable(),
  /** Of the newest epoch that it knows. */
  generation: z.int().min(0),
  /** Last entry of its log. */
  position: z.int().min(0),
});

/** What a member says of itself. */
export type Standing = z.output<typeof standingSchema>;

export const helloSchema = z.object({
  standing: standingSchema,
  /** The members that it hears, itself left out. */
  members: z.array(z.object({ id: z.string(), address: z.string() })),
});

export const helloReplySchema = helloSchema.extend({
  /** The epochs of its log, the oldest first. */
  epochs: z.array(epochSchema),
  firstPosition: z.int().min(1),
});

/** What members tell one another every second. */
export type Hello = z.output<typeof helloSchema>;
export type HelloReply = z.output<typeof helloReplySchema>;

export const lineageSchema = z.object({ epochs: z.array(epochSchema) });
