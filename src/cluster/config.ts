import { z } from 'zod';

const address = z
  .string()
  .regex(/^\S*:\d{1,5}$/, 'must be host:port')
  .refine((text) => Number(text.slice(text.lastIndexOf(':') + 1)) <= 65_535, 'the port must be below 65536');

/** Section `cluster`: processes that share one log, of which one leads. */
export const clusterConfig = z.strictObject({
  /** Where other members reach this one. Another host than loopback needs `token_file`. */
  listen: address.default('127.0.0.1:9094'),
  /** What others are told to reach this one at, where that is not `listen`. */
  advertise: address.optional(),
  /** Some members, this one may be among them; the others are learned from them. A name may stand for several machines. */
  peers: z.array(address).default([]),
  /** File with the token that members show each other. */
  token_file: z.string().min(1).optional(),
});

export type ClusterConfig = z.output<typeof clusterConfig>;
