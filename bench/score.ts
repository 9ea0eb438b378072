/** Rows scored per second: on the calling thread and in worker threads, by batch size. And what a repeat costs the stage. */
import { Fold } from '../src/engine/index.ts';
import {
  createFlow,
  type Flow,
  type LogEntry,
  type Signal,
  type TocsinStageFactory,
} from '../src/incident/index.ts';
import {
  createInlineScorer,
  createPoolScorer,
  createScoreStage,
  loadScoreModel,
  rowWidth,
  type MatrixScorer,
} from '../src/score/index.ts';
import { labelsOf, type Alert } from '../src/alert/index.ts';
import { randomBatch } from '../test/score/random-batch.ts';

const secondsEach = Number(process.argv[2] ?? 1.5);
const model = await loadScoreModel('builtin');

async function rowsPerSecond(scorer: MatrixScorer, rows: number): Promise<number> {
  const { matrix } = randomBatch(rows, rows, model);
  for (let i = 0; i < 20; i++) await scorer.score(matrix, rows);
  const started = performance.now();
  let done = 0;
  while (performance.now() - started < secondsEach * 1000) {
    await scorer.score(matrix, rows);
    done += rows;
  }
  return (done * 1000) / (performance.now() - started);
}

/** Nanoseconds that the score stage adds to one repeated alert, by difference to a fold without it, best of five rounds. */
async function repeatCost(): Promise<number> {
  const withScore: number[] = [];
  const without: number[] = [];
  for (let round = 0; round < 5; round++) {
    withScore.push(await foldRepeats([['score', createScoreStage(createInlineScorer())]]));
    without.push(await foldRepeats([]));
  }
  return Math.min(...withScore) - Math.min(...without);
}

async function foldRepeats(stages: readonly [string, TocsinStageFactory][]): Promise<number> {
  const series = 10_000;
  const perEntry = 1000;
  const alerts = Array.from({ length: series }, (_, i) => createAlert(i));
  const entries = Array.from({ length: 2000 }, (_, i): LogEntry => {
    const from = (i * perEntry) % series;
    return {
      kind: 'alerts',
      timeMs: 1_767_571_200_000 + i * 6000,
      payload: alerts.slice(from, from + perEntry),
    };
  });
  const fold = new Fold<LogEntry, Flow>({ stages: [['feed', createFeed], ...stages], createFlow });
  let position = 1;
  const apply = async (slice: readonly LogEntry[]) => {
    await fold.apply({ firstPosition: position, entries: slice });
    position += slice.length;
  };
  await apply(entries.slice(0, 400));
  const started = performance.now();
  for (let i = 400; i < entries.length; i += 20) await apply(entries.slice(i, i + 20));
  return ((performance.now() - started) * 1e6) / ((entries.length - 400) * perEntry);
}

/** Every alert is a signal; after the first report all are repeats. */
const createFeed: TocsinStageFactory = () => {
  const known = new Set<string>();
  return {
    name: 'feed',
    onFrame(frame) {
      if (frame.entry?.kind !== 'alerts') return;
      const { flow } = frame;
      const alerts = frame.entry.payload;
      flow.alertChanges = alerts.map((alert, index) => ({ change: 'repeated', alert, index }));
      flow.sightings = alerts.map(({ fingerprint }) => ({
        fingerprint,
        signalId: fingerprint,
        how: 'exact',
        similarity: 1,
      }));
      flow.signalChanges = alerts
        .filter(({ fingerprint }) => !known.has(fingerprint))
        .map((alert) => {
          known.add(alert.fingerprint);
          return { change: 'opened', signal: createSignal(alert), reasons: [] };
        });
    },
  };
};

function createAlert(i: number): Alert {
  return {
    fingerprint: i.toString(16).padStart(16, '0'),
    domain: 'default',
    labels: labelsOf({ alertname: `Alert${i % 200}`, service: `service${i % 40}`, instance: `i${i}` }),
    annotations: [],
    startsAtMs: 0,
    endsAtMs: 0,
    endsByTimeout: true,
    receivedAtMs: 0,
    generatorUrl: '',
    source: 'bench',
  };
}

function createSignal(alert: Alert): Signal {
  return {
    id: alert.fingerprint,
    domain: alert.domain,
    labels: alert.labels,
    text: '',
    template: '',
    signature: [],
    severity: 'unknown',
    state: 'firing',
    firstAtMs: 0,
    lastAtMs: 0,
    resolvedAtMs: null,
    alertCount: 1,
    fingerprints: [alert.fingerprint],
    fingerprintCount: 1,
    firingCount: 1,
  };
}

console.log(`rows of ${rowWidth} numbers; ${secondsEach} s each`);
let twoWinFrom: number | null = null;
const pools = [1, 2].map((workers) => createPoolScorer({ workers, minRowsForWorkers: 1 }));
for (const rows of [1, 32, 256, 512, 1024, 2048, 4096]) {
  const inline = await rowsPerSecond(createInlineScorer(), rows);
  const [one, two] = [await rowsPerSecond(pools[0]!, rows), await rowsPerSecond(pools[1]!, rows)];
  if (two <= inline) twoWinFrom = null;
  else twoWinFrom ??= rows;
  const perBatchUs = (perSecond: number) => (rows / perSecond) * 1e6;
  console.log(
    `batch ${String(rows).padStart(4)}: inline ${format(inline)}/s, 1 worker ${format(one)}/s, 2 workers ${format(two)}/s; ` +
      `a batch takes ${perBatchUs(inline).toFixed(0)} us inline, crossing to 1 worker adds ${(perBatchUs(one) - perBatchUs(inline)).toFixed(0)} us, ${((perBatchUs(one) - perBatchUs(inline)) / rows).toFixed(2)} us a row`,
  );
}
for (const pool of pools) await pool.close();
console.log(
  twoWinFrom === null
    ? 'two workers never beat none'
    : `two workers beat none from batches of ${twoWinFrom} rows on`,
);
console.log(`a repeat costs the stage ${(await repeatCost()).toFixed(0)} ns (10,000 series of 200 kinds)`);

function format(perSecond: number): string {
  return Math.round(perSecond).toLocaleString('en-US');
}
