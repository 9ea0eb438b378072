/**
 * Writes rows into the embedded history and says so once they are durable: `node history-child.ts <folder> <count> [end]`.
 * With `end` it then closes everything and ends by itself; without, it goes on writing until it is killed.
 */
import { HistoryWriter, openHistory } from '../../src/history/index.ts';

const [path = '', count = '0', end] = process.argv.slice(2);
const { database, missing } = await openHistory({ path });
if (!database) throw new Error(missing);
const writer = new HistoryWriter(database, {
  partition: '0',
  flushIntervalMs: 10,
  maxBatchRows: 100,
  maxBufferedRows: 100_000,
  maxBufferedBytes: 100_000_000,
  onDropped: (dropped, reason) => console.error(`${dropped} rows dropped: ${reason}`),
});

let next = 0;
function write(howMany: number): void {
  const rows = Array.from({ length: howMany }, () => ({
    table: 'verdicts',
    id: `${++next}/0`,
    row: { position: next, at: '2024-01-01 00:00:00.000', fingerprint: `f${next}` },
  }));
  writer.write(rows);
}

write(Number(count));
await writer.flushed();
console.log('flushed');
if (end === undefined) setInterval(() => write(50), 5);
else {
  await writer.close(1_000);
  await database.close();
}
