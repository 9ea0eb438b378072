/**
 * The history on the embedded engine: what a repeated report costs the projection, rows written per second and how long that
 * holds up this thread, and how long recall takes among 10,000 past incidents.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { HistoryRow } from '../src/engine/index.ts';
import { createRecall, HistoryWriter, openHistory, type HistoryDatabase } from '../src/history/index.ts';
import type { RecallEffect } from '../src/incident/index.ts';
import {
  alertOf,
  createScriptedFold,
  rowsOf,
  signatureOf,
  similarTo,
  type Moment,
} from '../test/history/scene.ts';
import { firedAt, pastIncident, startMs } from '../test/contract/history-scenes.ts';

const incidentCount = 10_000;
const sketchesPerIncident = 3;
const rowCount = 200_000;

/** Nanoseconds of one repeated report, by difference to the same log without reports; 10,000 series, each sent again every `resendMs`. */
async function nanosecondsPerRepeat(resendMs: number): Promise<number> {
  const series = Array.from({ length: 10_000 }, (_, i) =>
    firedAt(0, alertOf({ alertname: 'Up', instance: `${i}` })),
  );
  const changes = series.flatMap(({ flow }) => flow?.alertChanges ?? []);
  const repeats = changes.map((change) => ({ ...change, change: 'repeated' as const }));
  const sightings = series.flatMap(({ flow }) => flow?.sightings ?? []);
  const reportsPerEntry = 50;
  const secondsOf = async (perEntry: number): Promise<number> => {
    const moments = Array.from({ length: 20_000 }, (_, i): Moment => {
      const from = (i * reportsPerEntry) % series.length;
      const flow = {
        alertChanges: repeats.slice(from, from + perEntry),
        sightings: sightings.slice(from, from + perEntry),
      };
      const timeMs = startMs + (i * resendMs * reportsPerEntry) / series.length;
      return { entry: { kind: 'tick', timeMs, payload: null }, flow };
    });
    const fold = createScriptedFold(moments);
    const entries = moments.map(({ entry }) => entry);
    const started = performance.now();
    for (let i = 0; i < entries.length; i += 500) {
      await fold.apply({ firstPosition: i + 1, entries: entries.slice(i, i + 500) });
      fold.takeCheckpoint();
    }
    return (performance.now() - started) / 1000;
  };
  await secondsOf(reportsPerEntry);
  return (((await secondsOf(reportsPerEntry)) - (await secondsOf(0))) * 1e9) / (20_000 * reportsPerEntry);
}

function createWriter(database: HistoryDatabase): HistoryWriter {
  return new HistoryWriter(database, {
    partition: '0',
    flushIntervalMs: 1_000,
    maxBatchRows: 10_000,
    maxBufferedRows: 10_000_000,
    maxBufferedBytes: 4_000_000_000,
    onDropped: (count, reason, error) => {
      throw new Error(`${count} rows dropped: ${reason}`, { cause: error });
    },
  });
}

async function writeAlerts(writer: HistoryWriter): Promise<void> {
  const [template] = await rowsOf([
    firedAt(
      startMs,
      alertOf({ alertname: 'DiskFull', service: 'db', instance: 'db-1', severity: 'critical' }),
    ),
  ]);
  const rows = Array.from({ length: rowCount }, (_, i): HistoryRow => {
    const row = { ...template?.row, position: i, fingerprint: (i % 10_000).toString(16).padStart(16, '0') };
    return { table: 'alerts', id: `${i}/0`, row };
  });
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const started = performance.now();
  for (let i = 0; i < rows.length; i += 500) {
    writer.write(rows.slice(i, i + 500));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await writer.flushed();
  const seconds = (performance.now() - started) / 1000;
  delay.disable();
  console.log(`alerts rows written and synced to disk: ${Math.round(rowCount / seconds)} rows/s`);
  console.log(
    `this thread meanwhile: delay p50 ${ms(delay.percentile(50))}, p99 ${ms(delay.percentile(99))}, max ${ms(delay.max)}`,
  );
}

function ms(nanoseconds: number): string {
  return `${(nanoseconds / 1e6).toFixed(1)} ms`;
}

async function recallTimes(database: HistoryDatabase, writer: HistoryWriter): Promise<void> {
  for (let i = 0; i < incidentCount; i += 500) {
    const moments = Array.from({ length: 500 }, (_, j) => manySketches(i + j)).flat();
    writer.write((await rowsOf(moments)).map((row) => ({ ...row, id: `${i}-${row.id}` })));
    await writer.flushed();
  }
  const carry = createRecall(database, {
    timeoutMs: 60_000,
    onProblem: (error) => {
      throw error;
    },
  });
  const times: number[] = [];
  let found = 0;
  for (let i = 0; i < 200; i++) {
    const target = (i * 47) % incidentCount;
    const signatures = Array.from({ length: sketchesPerIncident }, (_, k) =>
      similarTo(signatureOf(`${target} ${k}`), 0.8, `asking ${i}`),
    );
    const payload: RecallEffect['payload'] = {
      incidentId: 'asking',
      domain: 'recall',
      beforeMs: startMs + 1,
      templates: [],
      signatures,
      services: ['db'],
      limit: 5,
    };
    const effect: RecallEffect = { id: 'asking/recall', kind: 'recall', payload };
    const started = performance.now();
    const { similar } = await carry(effect, new AbortController().signal);
    times.push(performance.now() - started);
    if (similar[0]?.incidentId === `past-${target}`) found++;
  }
  times.sort((a, b) => a - b);
  const at = (share: number): string => `${times[Math.floor(times.length * share)]?.toFixed(1)} ms`;
  console.log(
    `recall among ${incidentCount} incidents of ${sketchesPerIncident} sketches: p50 ${at(0.5)}, p99 ${at(0.99)}, right first ${found} of ${times.length}`,
  );
}

/** One incident of several signals, as moments of a script. */
function manySketches(index: number): Moment[] {
  const [first, ...others] = Array.from({ length: sketchesPerIncident }, (_, k) =>
    pastIncident(`past-${index}`, signatureOf(`${index} ${k}`)),
  );
  const signals = [first, ...others].flatMap((moment, k) =>
    (moment?.flow?.signalChanges ?? []).map((change) => ({
      ...change,
      signal: { ...change.signal, id: `past-${index}-${k}`, template: `template ${index} ${k}` },
    })),
  );
  const candidates = (first?.flow?.candidateChanges ?? []).map((change) => ({
    ...change,
    candidate: { ...change.candidate, signalIds: signals.map(({ signal }) => signal.id) },
  }));
  if (!first) return [];
  return [{ ...first, flow: { ...first.flow, signalChanges: signals, candidateChanges: candidates } }];
}

for (const seconds of [10, 60]) {
  const cost = Math.round(await nanosecondsPerRepeat(seconds * 1000));
  console.log(`a report sent again every ${seconds} s costs the projection ${cost} ns`);
}
const folder = mkdtempSync(join(tmpdir(), 'tocsin-bench-history-'));
const opening = performance.now();
const { database, missing } = await openHistory({ path: folder });
if (!database) throw new Error(missing);
console.log(`opening the embedded engine: ${Math.round(performance.now() - opening)} ms`);
const writer = createWriter(database);
await writeAlerts(writer);
await recallTimes(database, writer);
await writer.close(1_000);
await database.close();
rmSync(folder, { recursive: true });
