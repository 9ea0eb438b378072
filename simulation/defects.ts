/**
 * Mistakes that can be built into a run, to see whether the simulation finds them. Each is one that a design, an adapter or a change
 * of the engine could make.
 */
export const defects = {
  'deliveries not asked': 'effects are carried out without asking the delivery log first',
  'store unfenced': 'the store takes what is written under an old fencing token',
  'log unfenced': 'the log takes what a former owner appends, and everybody folds it',
  'no claim': 'a new owner acts without having said so in the log',
  'stale owner sends': 'a carrier does not look whether its lease still holds before it sends',
  'no deduplication': 'the log forgets the ids of appends at once',
  'new id for each retry': 'a gateway asks again under another id',
  'acknowledged too early': 'a gateway says yes before the log has answered',
  'owner asks for ever': 'an owner asks again for an append when the log has forgotten its id',
  'timer fires early': 'a tick says a time that has not come',
  'checkpoint before its rows': 'a checkpoint does not wait for the history',
  'checkpoint on any base': 'a delta is added to whatever checkpoint there is',
  'token of the store': 'fencing tokens are counted by the store, which may forget that it has given one',
  'no patience': 'an owner acts at once where the store knows of no lease before its own',
  'fact id without token': 'a fact is appended under the id of its effect, whoever appends it',
} as const;

export type Defect = keyof typeof defects;

/**
 * How the log keeps out what a former owner appends.
 *
 * - `sequence`: an owner appends on the condition that nothing of an owner was appended since its own last entry (in JetStream a subject
 *   of its own and `Nats-Expected-Last-Subject-Sequence`). The log refuses everybody else's.
 * - `token`: an entry names its owner's fencing token, and readers pass over it when a higher one stands before it. The token is the
 *   position of the owner's claim.
 * - `none`: only to show what happens.
 */
export type Fencing = 'sequence' | 'token' | 'none';
