import { TocsinError, type HistoryRow } from '../../src/engine/index.ts';
import type { HistoryDatabase } from '../../src/history/index.ts';

/** A database in memory that fails as it is told. */
export class FakeDatabase implements HistoryDatabase {
  readonly engine = 'embedded';
  readonly rows: { table: string; row_id: string }[] = [];
  readonly insertSizes: number[] = [];
  failuresLeft = 0;
  isAway = false;
  /** While set, inserts wait for it. */
  gate: Promise<void> | null = null;
  isRefused: (line: string) => boolean = () => false;

  async insert(table: string, lines: readonly string[]): Promise<void> {
    if (this.gate) await this.gate;
    await Promise.resolve();
    if (this.isAway || this.failuresLeft > 0) {
      this.failuresLeft--;
      throw new TocsinError('TOC_HISTORY_UNAVAILABLE', 'not now');
    }
    if (lines.some(this.isRefused)) throw new TocsinError('TOC_HISTORY_ROW_REFUSED', 'bad row');
    this.insertSizes.push(lines.length);
    for (const line of lines) this.rows.push({ table, ...(JSON.parse(line) as { row_id: string }) });
  }

  query(): Promise<never[]> {
    return Promise.resolve([]);
  }
  async command(): Promise<void> {}
  async close(): Promise<void> {}
}

/** Rows whose ids begin with `from` to `to - 1`. */
export function numberedRows(from: number, to: number, table = 'alerts', text = ''): HistoryRow[] {
  return Array.from({ length: to - from }, (_, i) => ({ table, id: `${from + i}/0`, row: { text } }));
}
