import type { Checkpoint, Entry } from '../engine/index.ts';
import type { ReplicaLog } from '../log/index.ts';
import type { Answer, Question } from './wire.ts';

export interface ClusterOptions<E extends Entry> {
  /** `host:port` each. `advertise` is what others are told; an empty host is the one that this member calls from. */
  readonly listen: { readonly host: string; readonly port: number };
  readonly advertise: string;
  readonly peers: readonly string[];
  readonly token: string | null;
  /** Where the epochs of the log are kept. */
  readonly lineageFile: string;
  readonly log: ReplicaLog<E>;
  readonly readCheckpoint: () => Promise<Checkpoint | null>;
  /** Forgets log and state, and begins with this state, or with none. */
  readonly replaceState: (checkpoint: Checkpoint | null) => Promise<void>;
  readonly onChange: (change: ClusterChange) => void;
  /** How long a leader may be silent, whose process may still be there; 4 s unless said otherwise. */
  readonly leaderPatienceMs?: number;
  readonly monotonicMs?: () => number;
}

/** What someone who watches the cluster must know. */
export type ClusterChange =
  | { readonly kind: 'leading'; readonly generation: number }
  | { readonly kind: 'following'; readonly address: string }
  | { readonly kind: 'seeking'; readonly because: string }
  | { readonly kind: 'state replaced'; readonly address: string }
  | { readonly kind: 'follower dropped'; readonly id: string }
  /** What the leader gave could not be kept, or this member could not begin to lead. It is tried again. */
  | { readonly kind: 'disk failed'; readonly error: unknown };

/** Why a member must begin anew: another leads, or its log is not the beginning of the leader's. */
export type ClusterEnd = 'outranked' | 'diverged';

/** What a leader answers to questions of any member. */
export type Answerer = (question: Question) => Promise<Answer>;
