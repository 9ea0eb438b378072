import { randomUUID } from 'node:crypto';
import {
  decode,
  encode,
  TocsinError,
  type Checkpoint,
  type CheckpointDelta,
  type WholeCheckpoint,
} from '../engine/index.ts';
import { decodeRow, type CheckpointRow } from './checkpoint-row.ts';
import { apply, begin, journal, lost, moved, reset, seal, sealWhole } from './redis-checkpoint-scripts.ts';
import type { RedisArgument, RedisConnection } from './redis-connection.ts';
import type { RedisFence } from './redis-fence.ts';
import { changesOf, chunksOf, fieldOf, type JournaledChange } from './redis-journal.ts';
import type { PartitionKeys } from './redis-keys.ts';
import { refuseFenced, type RedisScript } from './redis-script.ts';
import type { StagedCheckpoint } from './store.ts';

/** Rows that one command reads. */
const scanStep = 500;
/** How often a checkpoint is read that is written meanwhile. */
const maxReads = 10;

/** Keys and rows by turns. */
type ScanStep = readonly [cursor: Buffer, fields: readonly Buffer[]];

interface Head {
  readonly commit: string;
  readonly position: number;
  readonly timeMs: number;
  readonly chunkCount: number;
  readonly appliedCount: number;
  readonly rowCount: number;
}

/**
 * The checkpoint of a partition: rows, and on top of them what is left of the delta that was sealed last.
 *
 * A delta is written in three steps, because no command may hold up Redis for long: its chunks into a journal; the seal, which alone makes
 * it part of the checkpoint; and then its chunks, one by one, from the journal into the rows. Whatever was left undone after the seal
 * is read from the journal, and done before the next delta is written.
 *
 * INVARIANT: a delta is sealed only on top of the one that this handle read or wrote last. A Redis that has lost its newest writes (a
 * failover, a restart from an older snapshot) has an older checkpoint, whole in itself, and no later delta fits it.
 */
export class RedisCheckpoint {
  readonly #connection: RedisConnection;
  readonly #keys: PartitionKeys;
  readonly #fence: RedisFence;
  /** The delta that was read or written last: '' for none, '*' while that is not known. */
  #base = '*';

  constructor(connection: RedisConnection, keys: PartitionKeys, fence: RedisFence) {
    this.#connection = connection;
    this.#keys = keys;
    this.#fence = fence;
  }

  async read(): Promise<Checkpoint | null> {
    for (let count = 0; count < maxReads; count++) {
      const head = await this.#readHead();
      const rows = head && (await this.#readRows(head));
      if (head && !rows) continue;
      this.#base = head?.commit ?? '';
      return head && { position: head.position, timeMs: head.timeMs, rows: rows ?? [] };
    }
    throw new TocsinError('TOC_STORE_UNAVAILABLE', 'the checkpoint was written while it was read, each time');
  }

  stage({ position, timeMs, changes }: CheckpointDelta): StagedCheckpoint {
    const id = randomUUID();
    const at = encode({ position, timeMs });
    const chunks = chunksOf(changes);
    return { commit: () => this.#commit(id, at, chunks) };
  }

  /**
   * The chunks of a whole state go into the journal as they come; the seal lets them stand for all rows there were. Where Redis loses some
   * meanwhile the end is refused with TOC_STORE_ROLLED_BACK, and another whole state is to be written.
   */
  replace(): WholeCheckpoint {
    const id = randomUUID();
    let base: string | null = null;
    let count = 0;
    const append = async (first: number, chunks: readonly Uint8Array[]): Promise<string> => {
      const { lease, journal: journalKey } = this.#keys;
      base ??= await this.#beginWhole(id);
      for (const [index, chunk] of chunks.entries())
        await this.#write(journal, [lease, journalKey], id, first + index, chunk);
      return base;
    };
    const take = (chunks: readonly Uint8Array[]): (() => Promise<string>) => {
      const first = count + 1;
      count += chunks.length;
      return () => append(first, chunks);
    };
    return {
      write: (rows) => take(chunksOf(rows))().then(() => undefined),
      finish: ({ position, timeMs, changes }) => {
        const at = encode({ position, timeMs });
        const appendLast = take(chunksOf(changes));
        return { commit: async () => this.#sealWhole(id, await appendLast(), at, count) };
      },
    };
  }

  async reset(): Promise<void> {
    const { lease, head, rows, journal, outcomes, ages } = this.#keys;
    await this.#write(reset, [lease, head, rows, journal, outcomes, ages]);
    this.#base = '';
  }

  async #commit(id: string, at: Uint8Array, chunks: readonly Uint8Array[]): Promise<void> {
    const { lease, head, rows, journal: journalKey } = this.#keys;
    const base = await this.#begin(id);
    if (base !== null) {
      for (const [index, chunk] of chunks.entries())
        await this.#write(journal, [lease, journalKey], id, index + 1, chunk);
      await this.#write(seal, [lease, head, rows, journalKey], base, id, at, chunks.length);
      await this.#apply(id, 0, chunks.length);
    }
    this.#base = id;
  }

  async #beginWhole(id: string): Promise<string> {
    const { lease, head, rows, journal: journalKey } = this.#keys;
    const found = (await this.#connection.send('hget', head, 'commit')) as Buffer | null;
    const keys = [lease, head, rows, journalKey];
    const answer = await this.#write(begin, keys, found?.toString() ?? '', id, 'whole');
    return String((answer as readonly unknown[])[1]);
  }

  async #sealWhole(id: string, base: string, at: Uint8Array, chunkCount: number): Promise<void> {
    const { lease, head, rows, journal: journalKey } = this.#keys;
    await this.#write(sealWhole, [lease, head, rows, journalKey], base, id, at, chunkCount);
    await this.#apply(id, 0, chunkCount);
    this.#base = id;
  }

  /** Resolves with what the delta `id` is to be sealed on; with null when it is part of the checkpoint already. */
  async #begin(id: string): Promise<string | null> {
    const { lease, head, rows, journal } = this.#keys;
    for (;;) {
      const answer = await this.#write(begin, [lease, head, rows, journal], this.#base, id, '');
      const [what, commit = '', applied, chunks] = (answer as readonly unknown[]).map(String);
      if (what === 'ready') return commit;
      await this.#apply(commit, Number(applied), Number(chunks));
      if (what === 'sealed') return null;
    }
  }

  /** Moves the chunks of a sealed delta to the rows, one after the other: in between the server has time for others. */
  async #apply(id: string, appliedCount: number, chunkCount: number): Promise<void> {
    const { lease, head, rows, journal } = this.#keys;
    for (let number = appliedCount + 1; number <= chunkCount; number++)
      await this.#write(apply, [lease, head, rows, journal], id, number);
  }

  async #write(
    script: RedisScript,
    keys: readonly string[],
    ...args: readonly RedisArgument[]
  ): Promise<unknown> {
    const answer = await this.#connection.run(script, keys, [...this.#fence.args, ...args]);
    const what = String(Array.isArray(answer) ? answer[0] : answer);
    refuseFenced(what);
    if (what === moved || (what === lost && script === sealWhole)) throw rolledBack();
    if (what === lost && script === seal)
      throw new TocsinError(
        'TOC_STORE_UNAVAILABLE',
        'Redis has lost a part of the delta that was being written',
      );
    if (what === lost) throw missingChunk();
    return answer;
  }

  async #readHead(): Promise<Head | null> {
    const fields = ['commit', 'at', 'chunks', 'applied', 'rows'];
    const answer = await this.#connection.send('hmget', this.#keys.head, ...fields);
    const [commit, at, chunks, applied, rows] = answer as readonly (Buffer | null)[];
    if (!commit || !at) return null;
    try {
      const { position, timeMs } = decode(at) as { position: number; timeMs: number };
      const [chunkCount, appliedCount, rowCount] = [Number(chunks), Number(applied), Number(rows)];
      return { commit: commit.toString(), position, timeMs, chunkCount, appliedCount, rowCount };
    } catch (cause) {
      throw new TocsinError('TOC_STORE_CORRUPT', 'the head of the checkpoint cannot be read', { cause });
    }
  }

  /** Resolves with null when the checkpoint was written meanwhile. */
  async #readRows(head: Head): Promise<CheckpointRow[] | null> {
    const rows = await this.#scanRows();
    const chunks = await this.#readJournal(head);
    const after = await this.#readHead();
    if (after?.commit !== head.commit || after.appliedCount !== head.appliedCount) return null;
    if (rows.size !== head.rowCount)
      throw new TocsinError(
        'TOC_STORE_CORRUPT',
        `the checkpoint has ${rows.size} rows that can be read, of ${head.rowCount}`,
      );
    for (const chunk of chunks) {
      if (!chunk) throw missingChunk();
      for (const { key, row } of readChunk(chunk)) {
        const former = rows.get(key);
        if (row === null) rows.delete(key);
        else rows.set(key, inItsPlace(readRow(row), former));
      }
    }
    return [...rows.values()];
  }

  /** A scan may tell a row twice. The server looks for the next ones while these are decoded. */
  async #scanRows(): Promise<Map<string, CheckpointRow>> {
    const rows = new Map<string, CheckpointRow>();
    let step: Promise<ScanStep> | null = this.#scan('0');
    while (step) {
      const [next, fields]: ScanStep = await step;
      const cursor = next.toString();
      step = cursor === '0' ? null : this.#scan(cursor);
      // Whoever awaits it is told; when a row is found to be unreadable before, nobody does.
      step?.catch(() => {});
      for (let index = 0; index + 1 < fields.length; index += 2)
        rows.set(fieldOf(fields[index]!), readRow(fields[index + 1]!));
    }
    return rows;
  }

  async #scan(cursor: string): Promise<ScanStep> {
    const answer = await this.#connection.send('hscan', this.#keys.rows, cursor, 'COUNT', scanStep);
    return answer as ScanStep;
  }

  async #readJournal({ commit, appliedCount, chunkCount }: Head): Promise<(Buffer | null)[]> {
    const chunks: (Buffer | null)[] = [];
    for (let number = appliedCount + 1; number <= chunkCount; number++) {
      const chunk = await this.#connection.send('hget', this.#keys.journal, `${commit}/${number}`);
      chunks.push(chunk as Buffer | null);
    }
    return chunks;
  }
}

function inItsPlace(row: CheckpointRow, former: CheckpointRow | undefined): CheckpointRow {
  return row.order === 0 && former ? { ...row, order: former.order } : row;
}

function readRow(bytes: Buffer): CheckpointRow {
  try {
    return decodeRow(bytes);
  } catch (cause) {
    throw new TocsinError('TOC_STORE_CORRUPT', 'a row of the checkpoint cannot be read', { cause });
  }
}

function readChunk(chunk: Buffer): JournaledChange[] {
  try {
    return [...changesOf(chunk)];
  } catch (cause) {
    throw new TocsinError('TOC_STORE_CORRUPT', 'a part of the checkpoint cannot be read', { cause });
  }
}

function rolledBack(): TocsinError {
  return new TocsinError(
    'TOC_STORE_ROLLED_BACK',
    'the checkpoint in Redis is not the one that this process read or wrote last',
  );
}

function missingChunk(): TocsinError {
  return new TocsinError('TOC_STORE_CORRUPT', 'Redis has lost a part of the checkpoint that was sealed');
}
