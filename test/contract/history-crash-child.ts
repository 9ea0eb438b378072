/**
 * Folds a log that is always the same and writes its rows to a ClickHouse server, with checkpoints, from its last one on:
 * `node history-crash-child.ts <url> <database> <folder> <length> [limit]`. Says where it begins (`from 40`), how far it is (`at 60`), which
 * positions a checkpoint has (`checkpoint 50`), and `done`. Before that, how many rows it finds on the disk (`spilled 7`).
 * With a limit it folds no further, and waits to be killed, which it may be at any time.
 */
import { join } from 'node:path';
import { CheckpointWriter } from '../../src/engine/index.ts';
import { HistoryWriter, openHistory } from '../../src/history/index.ts';
import { openLmdbStore } from '../../src/store/index.ts';
import { createScriptedFold } from '../history/scene.ts';
import { createCrashLog } from './history-crash-log.ts';

const [url = '', name = '', folder = '', length = '0', limit = length] = process.argv.slice(2);
const sliceLength = 10;
const say = (text: string): void => void process.stdout.write(`${text}\n`);

const { database, missing } = await openHistory({
  url,
  user: 'default',
  database: name,
  connectTimeoutMs: 1_000,
});
if (!database) throw new Error(missing);
let drained = Promise.withResolvers<void>();
const writer = await HistoryWriter.open(database, {
  partition: '0',
  flushIntervalMs: 2,
  maxBatchRows: 256,
  maxBufferedRows: 1_000_000,
  maxBufferedBytes: 1_000_000_000,
  spill: { folder: join(folder, 'spill'), maxBytes: 64 * 1024 * 1024 },
  onDropped: (count, reason, error) => {
    throw new Error(`${count} rows dropped: ${reason}`, { cause: error });
  },
  onBacklog: (isWaiting) => {
    if (!isWaiting) drained.resolve();
  },
});

const log = createCrashLog(Number(length));
const store = openLmdbStore(join(folder, 'store'));
const fold = createScriptedFold(log);
fold.restore(await store.readCheckpoint());
say(`spilled ${writer.spilledCount}`);
say(`from ${fold.position}`);
const checkpoints = new CheckpointWriter({
  fold,
  store,
  sink: writer,
  intervalMs: 20_000,
  onWritten: (position) => say(`checkpoint ${position}`),
  onError: (error) => {
    throw error;
  },
});
checkpoints.begin(fold.timeMs);

while (fold.position < Number(limit)) {
  const first = fold.position + 1;
  const entries = log.slice(first - 1, first - 1 + sliceLength).map(({ entry }) => entry);
  const { rows } = await fold.apply({ firstPosition: first, entries });
  writer.write(rows);
  checkpoints.offer();
  say(`at ${fold.position}`);
  // Keeps the log from running ahead of what is written, so that crashes meet rows in every state.
  if (writer.pendingCount - writer.spilledCount > 200) await writer.flushed();
  await new Promise(setImmediate);
}
await checkpoints.finish();
if (limit !== length) await new Promise(() => setInterval(() => undefined, 60_000));
while (writer.spilledCount > 0) {
  await drained.promise;
  drained = Promise.withResolvers<void>();
}
await writer.close(5_000);
await database.close();
await store.close();
say('done');
