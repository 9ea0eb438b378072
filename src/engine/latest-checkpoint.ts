import type { Checkpoint } from './checkpoint.ts';
import type { CheckpointStore, SnapshotStore } from './checkpoint-writer.ts';
import { TocsinError } from './error.ts';

export interface LatestCheckpointOptions {
  readonly store: Pick<CheckpointStore, 'readCheckpoint'>;
  readonly snapshots?: SnapshotStore | undefined;
  /** Told of what cannot be read and is done without. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/**
 * The later of what the store has and what lies beside the log; `isOfStore` where it is the store's, which takes the next delta then. Without
 * snapshots it rejects with what the store says. With them what cannot be read in either place is told, and costs a replay: a log that
 * does not reach back far enough for that says so itself (TOC_LOG_GAP).
 */
export async function latestCheckpoint({ store, snapshots, onError }: LatestCheckpointOptions): Promise<{
  readonly checkpoint: Checkpoint | null;
  readonly isOfStore: boolean;
}> {
  if (!snapshots) return { checkpoint: await store.readCheckpoint(), isOfStore: true };
  const without = (code: string) => (error: unknown) => {
    if (!(error instanceof TocsinError) || error.code !== code) throw error;
    onError?.(error);
    return 'unreadable' as const;
  };
  const kept = await store.readCheckpoint().catch(without('TOC_STORE_CORRUPT'));
  const position = kept === 'unreadable' ? 0 : (kept?.position ?? 0);
  const snapshot = await snapshots.readAfter(position).catch(without('TOC_LOG_CORRUPT'));
  if (snapshot && snapshot !== 'unreadable') return { checkpoint: snapshot, isOfStore: false };
  return kept === 'unreadable'
    ? { checkpoint: null, isOfStore: false }
    : { checkpoint: kept, isOfStore: true };
}
