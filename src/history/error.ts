/** Whether it may help to do the same again later. */
const retryableOf = {
  TOC_HISTORY_UNAVAILABLE: true,
  TOC_HISTORY_QUERY_FAILED: false,
  TOC_HISTORY_ROW_REFUSED: false,
  TOC_HISTORY_MIGRATION_GAP: false,
  TOC_HISTORY_MIGRATION_CHANGED: false,
  TOC_HISTORY_MIGRATION_UNKNOWN: false,
} as const;

export type HistoryErrorCode = keyof typeof retryableOf;

/** An error of the history. What each code means and what to do is in docs/errors.md. */
export class HistoryError extends Error {
  override readonly name = 'HistoryError';
  readonly code: HistoryErrorCode;
  readonly retryable: boolean;

  constructor(code: HistoryErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
    this.retryable = retryableOf[code];
  }
}
