import type { HistoryRow, HistorySink } from '../src/engine/index.ts';
import type { Life } from './clock.ts';
import type { Network } from './network.ts';

export const historyHost = 'history';

/** The tables of the history: a row that is written again replaces itself. */
export class SimulatedHistory {
  readonly rows = new Map<string, string>();

  take(rows: readonly HistoryRow[]): void {
    for (const { table, id, row } of rows) this.rows.set(`${table}/${id}`, JSON.stringify(row));
  }
}

const timeoutMs = 5000;
const retryMs = 500;

/** Writes rows in batches, one after the other, until each is taken. What was not is lost with the process. */
export class SimulatedSink implements HistorySink {
  readonly #ask: (rows: readonly HistoryRow[]) => Promise<null>;
  readonly #life: Life;
  #waiting: HistoryRow[] = [];
  #writing: Promise<void> | null = null;

  constructor(options: { life: Life; host: string; network: Network; history: SimulatedHistory }) {
    const { life, host, network, history } = options;
    this.#life = life;
    this.#ask = (rows) =>
      network.ask<null>({
        from: life,
        host,
        to: historyHost,
        what: `${rows.length} rows`,
        timeoutMs,
        silence: 'TOC_HISTORY_UNAVAILABLE',
        serve: (answer) => {
          history.take(rows);
          answer.give(null);
        },
      });
  }

  write(rows: readonly HistoryRow[]): void {
    if (rows.length === 0) return;
    this.#waiting.push(...structuredClone(rows));
    this.#writing ??= this.#drain();
  }

  async flushed(): Promise<void> {
    await this.#writing;
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const rows = this.#waiting;
      this.#waiting = [];
      for (;;) {
        try {
          await this.#ask(rows);
          break;
        } catch {
          await this.#life.wait(retryMs);
        }
      }
    }
    this.#writing = null;
  }
}
