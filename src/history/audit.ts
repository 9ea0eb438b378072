import { createHash } from 'node:crypto';

/** What a row of table `audit` says. Texts are well-formed Unicode, so that the database gives back what was hashed. */
export interface AuditContent {
  readonly row_id: string;
  readonly position: number;
  /** Log time, `YYYY-MM-DD hh:mm:ss.mmm` in UTC. */
  readonly at: string;
  /** 1, 2, 3, ... without gaps in one partition. */
  readonly sequence: number;
  readonly kind: 'command' | 'config' | 'effect';
  /** Who acted; empty when nobody did. */
  readonly actor: string;
  /** The command's kind, `activate`, or the effect's kind. */
  readonly action: string;
  /** The id of the command or of the effect; for a configuration its SHA-256. */
  readonly subject: string;
  /** The command's body as canonical JSON. */
  readonly body: string;
  readonly outcome: 'done' | 'refused' | 'failed' | 'unanswered';
  readonly code: string;
  readonly message: string;
}

export interface AuditRow extends AuditContent {
  /** `hash` of the row before; empty in the first. */
  readonly previous_hash: string;
  /** SHA-256, hex, over `previous_hash` and the content. */
  readonly hash: string;
}

export type AuditVerdict =
  | { readonly intact: true; readonly rowCount: number; readonly lastHash: string }
  | {
      readonly intact: false;
      /** The first row that does not fit. */
      readonly rowId: string;
      readonly problem: 'content_changed' | 'row_missing' | 'chain_broken';
    };

/** Hashes one row's content onto the chain. */
export function chainHash(previousHash: string, content: AuditContent): string {
  const fields = [
    previousHash,
    content.row_id,
    content.position,
    content.at,
    content.sequence,
    content.kind,
    content.actor,
    content.action,
    content.subject,
    content.body,
    content.outcome,
    content.code,
    content.message,
  ];
  return sha256(JSON.stringify(fields));
}

/**
 * Checks that rows of one partition, in order of `sequence`, are what was written: nothing changed, left out or put in.
 * `anchor` is the hash before the first row, empty for a chain from its beginning. Rows cut off at the end are found
 * by comparing `lastHash` with one that was noted elsewhere.
 */
export function verifyAudit(rows: readonly AuditRow[], anchor = ''): AuditVerdict {
  let previous = anchor;
  let sequence = rows[0] && anchor !== '' ? rows[0].sequence - 1 : 0;
  for (const row of rows) {
    if (row.sequence !== sequence + 1) return { intact: false, rowId: row.row_id, problem: 'row_missing' };
    if (row.previous_hash !== previous) return { intact: false, rowId: row.row_id, problem: 'chain_broken' };
    if (chainHash(previous, row) !== row.hash) {
      return { intact: false, rowId: row.row_id, problem: 'content_changed' };
    }
    previous = row.hash;
    sequence = row.sequence;
  }
  return { intact: true, rowCount: rows.length, lastHash: previous };
}

export function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

/** JSON with the keys of every object in order of their UTF-16 units, so that equal values give equal text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : inner,
  );
}
