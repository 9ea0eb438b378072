import type { HistoryRow } from '../engine/index.ts';

/**
 * A row as one line of JSON. Lone surrogates, which UTF-8 can't hold and ClickHouse does not read, become U+FFFD; numbers
 * that are not finite become null.
 */
export function encodeRow({ id, row }: HistoryRow, partition: string): string {
  const line = JSON.stringify({ row_id: id, partition, ...row });
  return loneSurrogate.test(line) ? JSON.stringify(wellFormed({ row_id: id, partition, ...row })) : line;
}

/** How JSON.stringify writes a lone surrogate. May match other text, which costs time and nothing else. */
const loneSurrogate = /\\ud[89a-f]/;

function wellFormed(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed();
  if (Array.isArray(value)) return value.map(wellFormed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key.toWellFormed(), wellFormed(inner)]),
  );
}
