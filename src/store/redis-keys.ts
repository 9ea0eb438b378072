/**
 * The names of what a partition keeps. They share a hash tag, so that one node of Redis Cluster has all of them and a script may use
 * them together.
 */
export interface PartitionKeys {
  /** Hash: owner, token, until (ms). */
  readonly lease: string;
  /** Hash: what the checkpoint is (see redis-checkpoint.ts). */
  readonly head: string;
  /** Hash: row key to row. */
  readonly rows: string;
  /** Hash: chunks of a delta that is being written. */
  readonly journal: string;
  /** Hash: effect to outcome. */
  readonly outcomes: string;
  /** Sorted set: effects by the time when their outcome was recorded. */
  readonly ages: string;
}

/** Throws RangeError for a partition without a name: its keys would have no tag. */
export function partitionKeys(prefix: string, partition: string): PartitionKeys {
  if (partition === '') throw new RangeError('a partition needs a name');
  const key = (what: string): string => `${prefix}:{${encodeURIComponent(partition)}}:${what}`;
  return {
    lease: key('lease'),
    head: key('head'),
    rows: key('rows'),
    journal: key('journal'),
    outcomes: key('outcomes'),
    ages: key('ages'),
  };
}
