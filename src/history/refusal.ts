import { TocsinError } from '../engine/index.ts';

/** What ClickHouse says of rows that it can't read. Everything else that stops an insert may pass, or be put right. */
const rowRefusals =
  /^(CANNOT_PARSE_|CANNOT_READ_|CANNOT_CONVERT_|INCORRECT_DATA$|TYPE_MISMATCH$|ARGUMENT_OUT_OF_BOUND$|VALUE_IS_OUT_OF_RANGE|TOO_LARGE_|ILLEGAL_COLUMN$)/;

/** What ClickHouse says when it is too busy or not whole; asking again later may help. */
const passingTroubles =
  /^(MEMORY_LIMIT_EXCEEDED|TIMEOUT_EXCEEDED|TOO_MANY_|NETWORK_ERROR|SOCKET_TIMEOUT|TABLE_IS_READ_ONLY|KEEPER_EXCEPTION|NOT_ENOUGH_SPACE|ALL_CONNECTION_TRIES_FAILED|NO_ZOOKEEPER|AUTHENTICATION_FAILED|REQUIRED_PASSWORD|UNKNOWN_DATABASE|QUERY_WAS_CANCELLED|UNFINISHED)/;

/** An error of the client as one of ours: the history refused what it was given, or it may take it later. */
export function asRefusal(
  error: unknown,
  refusal: 'TOC_HISTORY_ROW_REFUSED' | 'TOC_HISTORY_QUERY_FAILED',
): TocsinError {
  if (error instanceof TocsinError) return error;
  const type = answerType(error);
  if (type === null) {
    return new TocsinError('TOC_HISTORY_UNAVAILABLE', "the history can't be reached", { cause: error });
  }
  const isRefused =
    refusal === 'TOC_HISTORY_ROW_REFUSED' ? rowRefusals.test(type) : !passingTroubles.test(type);
  const code = isRefused ? refusal : 'TOC_HISTORY_UNAVAILABLE';
  return new TocsinError(code, `ClickHouse answers ${type}`, { cause: error });
}

/** ClickHouse's own name of the error, such as `UNKNOWN_TABLE`; null when it is not an answer of ClickHouse. */
export function answerType(error: unknown): string | null {
  return error instanceof Error && 'type' in error && typeof error.type === 'string' ? error.type : null;
}
