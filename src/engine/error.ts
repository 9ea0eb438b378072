/** Every code, whether it may help to do the same again later, and what it means. `docs/errors.md` says what to do. */
export const errorCodes = {
  TOC_API_BUSY: { retryable: true, summary: 'The server asked a command-line call to come again.' },
  TOC_API_REFUSED: { retryable: false, summary: 'The server answered a command-line call with an error.' },
  TOC_API_UNREACHABLE: {
    retryable: true,
    summary: 'No server answers where a command-line call looked for one.',
  },
  TOC_CLUSTER_NO_LEADER: {
    retryable: true,
    summary: 'No member of the cluster leads at the moment, or another than this one does.',
  },
  TOC_CONFIG_INVALID: {
    retryable: false,
    summary: 'The configuration has mistakes; nothing of it was applied.',
  },
  TOC_CONFIG_UNREADABLE: {
    retryable: false,
    summary: 'The configuration file, or a file that it names, cannot be read.',
  },
  TOC_EFFECT_FAILED: {
    retryable: false,
    summary: 'What carries out an effect failed in an unforeseen way: a defect.',
  },
  TOC_EFFECT_SUPERSEDED: {
    retryable: false,
    summary: 'A page waited for a receiver until a newer page of its group made it pointless.',
  },
  TOC_EFFECT_UNCERTAIN: {
    retryable: false,
    summary:
      'The process ended while an effect was carried out; it was left alone, as the configuration says.',
  },
  TOC_EFFECT_UNKNOWN: {
    retryable: false,
    summary: 'The log asks for an effect that this version does not know.',
  },
  TOC_HISTORY_MIGRATION_CHANGED: {
    retryable: false,
    summary: 'A migration was applied to the history with other content than it has now.',
  },
  TOC_HISTORY_MIGRATION_GAP: {
    retryable: false,
    summary: 'The history lacks a migration before one that was applied.',
  },
  TOC_HISTORY_MIGRATION_UNKNOWN: {
    retryable: false,
    summary: 'A newer version has changed the schema of the history.',
  },
  TOC_HISTORY_QUERY_FAILED: { retryable: false, summary: 'The history refused a query.' },
  TOC_HISTORY_ROW_REFUSED: {
    retryable: false,
    summary: 'The history refused a row; it was dropped and counted.',
  },
  TOC_HISTORY_TABLES_DIFFER: {
    retryable: false,
    summary: 'The tables of the history are not replicated as `history.replicated` asks for.',
  },
  TOC_HISTORY_UNAVAILABLE: {
    retryable: true,
    summary: 'The history cannot be reached, is too busy, or another process holds its folder.',
  },
  TOC_LISTEN_FAILED: { retryable: false, summary: 'The HTTP server cannot listen at its address.' },
  TOC_LOG_CLOSED: { retryable: false, summary: 'The log was closed; the process is about to end.' },
  TOC_LOG_CORRUPT: {
    retryable: false,
    summary: 'The log has an entry that cannot be read, or ends before the state that was folded from it.',
  },
  TOC_LOG_ENTRY_TOO_LARGE: {
    retryable: false,
    summary: 'An entry is larger than what the log takes at once; it was not kept.',
  },
  TOC_LOG_FENCED: {
    retryable: false,
    summary: 'Another process owns the partition by now; the log takes nothing more of this one.',
  },
  TOC_LOG_GAP: {
    retryable: false,
    summary: 'Entries are missing from the log that were not folded in yet.',
  },
  TOC_LOG_MISMATCH: {
    retryable: false,
    summary: 'The stream of the log was made for something else than this process would use it for.',
  },
  TOC_LOG_REPLACED: {
    retryable: false,
    summary: 'The stream of the log is not the one that the state was folded from: it was made anew.',
  },
  TOC_LOG_UNAVAILABLE: {
    retryable: true,
    summary: 'The log did not take an entry; its sender was told to come again.',
  },
  TOC_MODEL_MISMATCH: {
    retryable: false,
    summary: 'A model is not what its manifest says, or was made for another version.',
  },
  TOC_MODEL_UNREADABLE: { retryable: false, summary: 'The files of a model cannot be read.' },
  TOC_NATS_UNAVAILABLE: { retryable: true, summary: 'The NATS server cannot be reached.' },
  TOC_NOTIFY_FAILED: { retryable: true, summary: 'A receiver did not take a notification in time.' },
  TOC_NOTIFY_REFUSED: { retryable: false, summary: 'A receiver refused a notification for good.' },
  TOC_PARTITION_BEHIND: {
    retryable: true,
    summary: 'Too many entries wait to be folded in; reports are refused for the moment.',
  },
  TOC_PARTITION_FAILED: {
    retryable: false,
    summary: 'A stage threw: a defect. The partition stands still; nothing that was accepted is lost.',
  },
  TOC_PARTITION_UNOWNED: {
    retryable: true,
    summary:
      'No process of the fleet leads the partition at the moment, or the one that does gives no answer.',
  },
  TOC_QUESTION_UNKNOWN: {
    retryable: false,
    summary: 'The process that leads a partition is of a version that does not know what it is asked.',
  },
  TOC_RECORDING_UNREADABLE: {
    retryable: false,
    summary: 'A file of alerts or of lines cannot be read, or what was found cannot be written.',
  },
  TOC_REPORT_INVALID: {
    retryable: false,
    summary: 'A report, or a part of it, could not be read; the message names the field.',
  },
  TOC_SERIES_INVALID: {
    retryable: false,
    summary: 'A file of a series has rows that cannot be read; nothing was written for it.',
  },
  TOC_SERIES_UNREADABLE: {
    retryable: false,
    summary: 'A file or folder of series cannot be read, or what was scored cannot be written.',
  },
  TOC_STEP_FAILED: { retryable: false, summary: 'An HTTP step of a runbook failed.' },
  TOC_STOPPING: {
    retryable: true,
    summary: 'The process is ending: it finishes what is under way and takes nothing more.',
  },
  TOC_STORE_CORRUPT: {
    retryable: false,
    summary: 'The store was overwritten or cut off from outside.',
  },
  TOC_STORE_FENCED: {
    retryable: false,
    summary: 'Another process owns the partition by now; this one may not write any more.',
  },
  TOC_STORE_FORMAT_UNKNOWN: {
    retryable: false,
    summary: 'The storage folder was written by a version whose format this one does not read.',
  },
  TOC_STORE_LOCKED: { retryable: false, summary: 'Another process works in the same storage folder.' },
  TOC_STORE_ROLLED_BACK: {
    retryable: false,
    summary: 'The store has an older checkpoint than the one that was read or written last.',
  },
  TOC_STORE_UNAVAILABLE: { retryable: true, summary: 'The store cannot be read or written.' },
  TOC_TEMPLATE_FAILED: { retryable: false, summary: 'A notification template could not be rendered.' },
  TOC_TEMPLATE_INVALID: { retryable: false, summary: 'A notification template cannot be parsed.' },
  TOC_TRAINING_TOO_SHORT: {
    retryable: false,
    summary: 'The data hold too little to train a model on.',
  },
  TOC_TRAINING_UNREADABLE: { retryable: false, summary: 'The training data cannot be read.' },
} as const satisfies Record<string, { readonly retryable: boolean; readonly summary: string }>;

export type ErrorCode = keyof typeof errorCodes;

/** The one error class. `retryable` is decided by the code; `cause` is the foreign error, wrapped once at the edge. */
export class TocsinError extends Error {
  override readonly name = 'TocsinError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  get retryable(): boolean {
    return errorCodes[this.code].retryable;
  }
}

/** Another process has the partition by now: what this one cannot do any more is for that one to do. */
export function isOutrun({ code }: TocsinError): boolean {
  return code === 'TOC_LOG_FENCED' || code === 'TOC_STORE_FENCED';
}
