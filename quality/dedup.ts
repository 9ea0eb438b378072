/**
 * What dedup gets right on data that others have labelled: `npm run quality:dedup [-- folder]`, the folder by default `../shared/data`.
 *
 * - `loghub/` (Zhu et al. 2023): operational messages with expert templates. Each message is the summary of an alert. `tocsin dedup` groups
 *   them after it has learned from all of them; the stage takes them as they come, and has learned nothing at their begin.
 * - `ait-ads/` (Landauer et al. 2023): alerts of intrusion detection. How many signals are left, and whether an alert is hidden in a
 *   signal of another name.
 *
 * Scored by `../tools/grouping-score.mjs` beside the folder: grouping accuracy as logparser defines it, the share of messages whose whole group
 * is exactly right, and pairwise precision, the share of pairs taken together that belong together.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { labelValue, type Alert } from '../src/alert/index.ts';
import { createDedupStage, dedupConfig, TextGroups } from '../src/dedup/index.ts';
import { Fold } from '../src/engine/index.ts';
import { createFlow, type Flow, type LogEntry } from '../src/incident/index.ts';
import { createIntakeStage } from '../src/source/index.ts';
import { alertAt } from './replayed.ts';

interface Score {
  readonly precision: number;
  readonly recall: number;
  readonly groupingAccuracy: number;
  readonly truthGroups: number;
  readonly predictedGroups: number;
}

type ScoreGrouping = (truth: readonly string[], predicted: readonly (string | number)[]) => Score;

const folder = resolve(process.argv[2] ?? '../shared/data');
const startMs = 1_767_571_200_000;
const config = dedupConfig.parse({});

if (!existsSync(folder)) {
  console.log(
    `${folder} is not there: nothing was measured. Give the folder that holds loghub/ and ait-ads/ as argument.`,
  );
} else {
  await measureLogHub(join(folder, 'loghub'));
  await measureAitAds(join(folder, 'ait-ads'));
}

async function measureLogHub(path: string): Promise<void> {
  const scorer = join(folder, '../tools/grouping-score.mjs');
  if (!existsSync(path) || !existsSync(scorer)) {
    console.log(`${existsSync(path) ? scorer : path} is not there: grouping of messages was not measured.`);
    return;
  }
  const { scoreGrouping } = (await import(pathToFileURL(scorer).href)) as { scoreGrouping: ScoreGrouping };
  console.log(
    'loghub            tocsin dedup: accuracy  precision  recall  groups/truth | the stage as they come: accuracy  precision  recall',
  );
  const [learned, online]: [Score[], Score[]] = [[], []];
  for (const file of filesOf(path, '.csv')) {
    const rows = readCsv(readFileSync(join(path, file), 'utf8'));
    const truth = rows.map((row) => row['EventId'] ?? '');
    const alerts = rows.map((row, i) =>
      alertAt({ alertname: 'LogMessage' }, row['Content'] ?? '', startMs + 1000 * i),
    );
    const batch = scoreGrouping(truth, groupAll(alerts));
    const stream = scoreGrouping(truth, await foldAll(alerts));
    learned.push(batch);
    online.push(stream);
    console.log(
      `  ${file.split('_')[0]?.padEnd(26)}${shown(batch.groupingAccuracy)}  ${shown(batch.precision, 10)}${shown(batch.recall)}  ` +
        `${batch.predictedGroups}/${batch.truthGroups}`.padEnd(14) +
        `|${shown(stream.groupingAccuracy, 34)}  ${shown(stream.precision, 10)}${shown(stream.recall)}`,
    );
  }
  console.log(
    `  ${'mean'.padEnd(26)}${shown(mean(learned, 'groupingAccuracy'))}  ${shown(mean(learned, 'precision'), 10)}${shown(mean(learned, 'recall'))}` +
      `${''.padEnd(16)}|${shown(mean(online, 'groupingAccuracy'), 34)}  ${shown(mean(online, 'precision'), 10)}${shown(mean(online, 'recall'))}`,
  );
  const least = Math.min(...learned.map(({ groupingAccuracy }) => groupingAccuracy));
  const leastPrecision = Math.min(...learned.map(({ precision }) => precision));
  console.log(
    `  least accuracy ${least.toFixed(4)} (goal 0.60), least precision ${leastPrecision.toFixed(4)} (goal 0.99), mean accuracy goal above 0.867`,
  );
}

/** As `tocsin dedup` does it. */
function groupAll(alerts: readonly Alert[]): number[] {
  const groups = new TextGroups(config);
  for (const alert of alerts) groups.learn(alert);
  return alerts.map((alert) => groups.place(alert).group.order);
}

/** As they come, each under a fingerprint of its own. */
async function foldAll(alerts: readonly Alert[]): Promise<string[]> {
  const fold = createFold();
  const entries = alerts.map((alert, i): LogEntry => ({
    kind: 'alerts',
    timeMs: alert.receivedAtMs,
    payload: [{ ...alert, fingerprint: i.toString(16).padStart(16, '0'), endsAtMs: startMs + 1e9 }],
  }));
  const { frames } = await fold.apply({ firstPosition: 1, entries });
  return frames.flatMap(({ flow }) => flow.sightings.map(({ signalId }) => signalId ?? ''));
}

async function measureAitAds(path: string): Promise<void> {
  if (!existsSync(path)) {
    console.log(`${path} is not there: reduction was not measured.`);
    return;
  }
  console.log(
    '\nait-ads           alerts   signals   reduction   taken in as similar   hidden in a signal of another name',
  );
  const total = { alerts: 0, signals: 0, similar: 0, hidden: 0 };
  for (const file of filesOf(path, '.csv.gz')) {
    const text = gunzipSync(readFileSync(join(path, file))).toString('utf8');
    const counts = await foldExecution(text);
    for (const name of ['alerts', 'signals', 'similar', 'hidden'] as const) total[name] += counts[name];
    report(file.replace('.csv.gz', ''), counts);
  }
  report('all', total);
}

async function foldExecution(
  text: string,
): Promise<Record<'alerts' | 'signals' | 'similar' | 'hidden', number>> {
  const fold = createFold();
  const counts = { alerts: 0, signals: 0, similar: 0, hidden: 0 };
  const names = new Map<string, string>();
  const rows = text.trim().split(/\r?\n/).slice(1);
  const alerts = rows.map(readRow).toSorted((a, b) => a.receivedAtMs - b.receivedAtMs);
  for (let start = 0; start < alerts.length; start += 4096) {
    const entries = alerts.slice(start, start + 4096).map((alert): LogEntry => ({
      kind: 'alerts',
      timeMs: alert.receivedAtMs,
      payload: [alert],
    }));
    const { frames } = await fold.apply({ firstPosition: fold.position + 1, entries });
    for (const { flow } of frames) {
      for (const { change, signal } of flow.signalChanges) {
        if (change !== 'opened') continue;
        counts.signals++;
        names.set(signal.id, labelValue(signal.labels, 'alertname'));
      }
      for (const [i, { how, signalId }] of flow.sightings.entries()) {
        const { alert, index } = flow.alertChanges[i]!;
        if (index < 0 || signalId === null) continue;
        counts.alerts++;
        if (how === 'similar') counts.similar++;
        if (names.get(signalId) !== labelValue(alert.labels, 'alertname')) counts.hidden++;
      }
    }
  }
  return counts;
}

/** `time,name,ip,host,short,phase,event`; a name may hold commas. */
function readRow(line: string): Alert {
  const cells = line.split(',');
  const name = cells.slice(1, -5).join(',');
  const [ip, host] = cells.slice(-5, -3);
  return alertAt(
    { alertname: name, host: host ?? '', ip: ip ?? '', detector: name.split(':')[0] ?? '' },
    name,
    Number(cells[0]) * 1000,
  );
}

function report(
  name: string,
  { alerts, signals, similar, hidden }: Record<'alerts' | 'signals' | 'similar' | 'hidden', number>,
): void {
  const reduction = `${(100 * (1 - signals / alerts)).toFixed(2)} %`;
  console.log(
    `  ${name.padEnd(12)}${number(alerts, 10)}${number(signals, 10)}${reduction.padStart(12)}${number(similar, 22)}${number(hidden, 37)}`,
  );
}

function createFold(): Fold<LogEntry, Flow> {
  return new Fold<LogEntry, Flow>({
    stages: [
      ['source', createIntakeStage],
      ['dedup', createDedupStage],
    ],
    createFlow,
  });
}

/** Quoted cells may hold commas and doubled quotes, and no line ends. Lines of another number of cells are left out. */
function readCsv(text: string): Record<string, string>[] {
  const [head, ...rows] = text
    .split(/\r?\n/)
    .map((line) =>
      [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
        ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '',
      ),
    );
  return rows
    .filter((row) => row.length === head?.length && row.length > 1)
    .map((row) => Object.fromEntries(head!.map((name, i) => [name, row[i] ?? ''])));
}

function filesOf(path: string, ending: string): string[] {
  return readdirSync(path)
    .filter((file) => file.endsWith(ending))
    .toSorted();
}

function mean(scores: readonly Score[], name: 'groupingAccuracy' | 'precision' | 'recall'): number {
  return scores.reduce((sum, score) => sum + score[name], 0) / scores.length;
}

function shown(value: number, width = 8): string {
  return value.toFixed(4).padStart(width);
}

function number(count: number, width: number): string {
  return count.toLocaleString('en-US').padStart(width);
}
