/**
 * How far surprise of alert streams is what it says, `npm run quality:surprise [-- folder [execution ...]]`: on real alerts of intrusion detection
 * (AIT-ADS, Landauer et al. 2023) without those of the attacks the share of scores above 1 - p, where p is expected; and with them how
 * surprising each attack step was at its most. Labels only choose what is measured. The data is not part of the project; the folder is
 * `../shared/data` unless given.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { fingerprint, labelsOf, labelValue, type Alert } from '../src/alert/index.ts';
import { createDedupStage } from '../src/dedup/index.ts';
import { Fold } from '../src/engine/index.ts';
import { createFlow, type Flow, type LogEntry } from '../src/incident/index.ts';
import { createInlineScorer, createScoreStage, loadScoreModel } from '../src/score/index.ts';
import { createIntakeStage } from '../src/source/index.ts';

interface Row {
  readonly alert: Alert;
  /** The attack step, `-` for none. */
  readonly step: string;
}

const [given = '../shared/data', ...wanted] = process.argv.slice(2);
const folder = join(given, 'ait-ads');
if (!existsSync(folder)) {
  console.error(
    `${folder} is absent: nothing real is measured. Give the folder that holds ait-ads/ as argument.`,
  );
  process.exit(1);
}

const shares = [0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.001];
const model = await loadScoreModel('builtin');
const all: number[] = [];
for (const file of readdirSync(folder).filter((name) => name.endsWith('.csv.gz'))) {
  const name = file.replace('.csv.gz', '');
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const rows = readRows(join(folder, file));
  const quiet = await score(rows.filter(({ step }) => step === '-'));
  all.push(...quiet.surprises);
  console.log(
    `${name}: ${quiet.surprises.length} scores of ${quiet.rows} alerts without attacks, ${quiet.learning} while learning`,
  );
  console.log(`  above 1 - p: ${show(quiet.surprises)}`);
  const { bySteps } = await score(rows);
  console.log(
    `  attack steps at their most: ${[...bySteps].map(([step, most]) => `${step} ${most.toFixed(3)}`).join(', ')}`,
  );
}
console.log(`all: ${all.length} scores\n  above 1 - p: ${show(all)}`);

function show(surprises: readonly number[]): string {
  return shares
    .map(
      (p) =>
        `${p}: ${(surprises.filter((surprise) => surprise > 1 - p).length / surprises.length).toFixed(4)}`,
    )
    .join('  ');
}

/** Folds the rows with the production stages. A kind that is scored for several signals at once counts once. */
async function score(rows: readonly Row[]): Promise<{
  readonly rows: number;
  readonly surprises: readonly number[];
  readonly learning: number;
  readonly bySteps: ReadonlyMap<string, number>;
}> {
  const fold = new Fold<LogEntry, Flow>({
    stages: [
      ['source', createIntakeStage],
      ['dedup', createDedupStage],
      ['score', createScoreStage(createInlineScorer())],
    ],
    createFlow,
  });
  const surprises: number[] = [];
  const bySteps = new Map<string, number>();
  let learning = 0;
  const first = rows[0]!.alert.receivedAtMs;
  await fold.apply({ firstPosition: 1, entries: [{ kind: 'config', timeMs: first, payload: { model } }] });
  for (let start = 0; start < rows.length; start += 4096) {
    const slice = rows.slice(start, start + 4096);
    const firstPosition = fold.position + 1;
    const { frames } = await fold.apply({
      firstPosition,
      entries: slice.map(({ alert }) => ({ kind: 'alerts', timeMs: alert.receivedAtMs, payload: [alert] })),
    });
    for (const { flow, entry, position } of frames) {
      const kinds = new Map<string, number | null>();
      const nameOf = new Map(
        flow.signalChanges.map(({ signal }) => [signal.id, labelValue(signal.labels, 'alertname')]),
      );
      for (const { signalId, surprise } of flow.scores) kinds.set(nameOf.get(signalId) ?? signalId, surprise);
      for (const surprise of kinds.values()) {
        if (surprise === null) learning++;
        else surprises.push(surprise);
      }
      const step = entry?.kind === 'alerts' ? slice[position - firstPosition]?.step : undefined;
      if (step === undefined || step === '-') continue;
      const most = Math.max(bySteps.get(step) ?? 0, ...[...kinds.values()].map((surprise) => surprise ?? 0));
      bySteps.set(step, most);
    }
  }
  return { rows: rows.length, surprises, learning, bySteps };
}

/** No cell of these files is quoted, and only names may hold commas. */
function readRows(file: string): Row[] {
  const lines = gunzipSync(readFileSync(file)).toString('utf8').trim().split(/\r?\n/).slice(1);
  return lines
    .map((line): Row => {
      const cells = line.split(',');
      const timeMs = Number(cells[0]) * 1000;
      const alertname = cells.slice(1, -5).join(',');
      const labels = labelsOf({ alertname, host: cells.at(-4)!, ip: cells.at(-5)! });
      return {
        step: cells.at(-1)!,
        alert: {
          fingerprint: fingerprint(labels),
          domain: 'default',
          labels,
          annotations: labelsOf({ summary: alertname }),
          startsAtMs: timeMs,
          endsAtMs: timeMs + 300_000,
          endsByTimeout: true,
          receivedAtMs: timeMs,
          generatorUrl: '',
          source: 'quality',
        },
      };
    })
    .sort((a, b) => a.alert.receivedAtMs - b.alert.receivedAtMs);
}
