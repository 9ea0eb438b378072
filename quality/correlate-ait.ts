import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Alert } from '../src/alert/index.ts';
import type { ScoreGrouping } from './grouping-score.ts';
import { alertAt, groupsOf, replayAlerts, type Replayed } from './replayed.ts';

/** One alert of an execution with the attack step that it belongs to; `-` is a false positive. */
interface Row {
  readonly timeMs: number;
  readonly name: string;
  readonly ip: string;
  readonly host: string;
  readonly step: string;
}

interface Execution {
  readonly name: string;
  readonly rows: readonly Row[];
}

const soonMs = 300_000;
const noise = '-';

/** Measures each execution of AIT-ADS alone, then all of them laid over each other so that their first scans coincide. */
export async function measureAitAds(
  folder: string,
  only: (name: string) => boolean,
  score: ScoreGrouping,
  wantsSteps: boolean,
): Promise<void> {
  const executions = readdirSync(folder)
    .filter((file) => file.endsWith('.csv.gz'))
    .toSorted()
    .map((file) => ({ name: file.replace('.csv.gz', ''), rows: readRows(join(folder, file)) }));
  console.log(
    'AIT-ADS        macro P / R / F1      ARI   incidents  pages (of sessions)  steps paged, soon  P1+P2 with attack   seconds',
  );
  const sums: number[] = [];
  for (const execution of executions.filter(({ name }) => only(name)))
    sums.push(await measure(execution, score, wantsSteps));
  if (sums.length > 1)
    console.log(`  mean macro F1 ${(sums.reduce((a, b) => a + b, 0) / sums.length).toFixed(3)}`);
  if (only('overlaid')) await measure({ name: 'overlaid', rows: overlay(executions) }, score, wantsSteps);
}

async function measure(
  { name, rows }: Execution,
  score: ScoreGrouping,
  wantsSteps: boolean,
): Promise<number> {
  const replayed = await replayAlerts(rows.map(alertOf));
  const groups = groupsOf(replayed);
  const result = score(
    rows.map(({ step }) => step),
    groups,
  );
  const firing = replayed.pages.filter(({ status }) => status === 'firing');
  const sessions = sessionsOf(rows);
  const { steps, paged, soon, urgent, urgentTrue } = pagingOf(rows, replayed);
  const { macroPrecision, macroRecall, macroF1, ari } = result;
  console.log(
    `  ${name.padEnd(10)} ${[macroPrecision, macroRecall, macroF1].map((value) => value.toFixed(3)).join(' / ')}  ${ari.toFixed(3)}` +
      `${String(replayed.incidents.size).padStart(12)}${`${firing.length} (${((100 * firing.length) / sessions).toFixed(2)} %)`.padStart(18)}` +
      `${`${paged}, ${soon} of ${steps}`.padStart(20)}${`${urgentTrue} of ${urgent}`.padStart(19)}${replayed.seconds.toFixed(1).padStart(11)}`,
  );
  if (wantsSteps) explain(rows, groups);
  return macroF1;
}

/** Each step: how well it is held together and how pure its incidents are. */
function explain(rows: readonly Row[], groups: readonly (string | null)[]): void {
  const sizes = Map.groupBy(groups, (group) => group);
  for (const [step, members] of Map.groupBy(rows.keys(), (i) => rows[i]!.step)) {
    if (step === noise) continue;
    const cells = [...Map.groupBy(members, (i) => groups[i])].map(([group, of]) => ({
      count: of.length,
      size: sizes.get(group!)!.length,
      group,
    }));
    const squares = cells.reduce((sum, { count }) => sum + count * count, 0);
    const recall = squares / members.length ** 2;
    const precision = squares / cells.reduce((sum, { count, size }) => sum + count * size, 0);
    const shown = cells
      .toSorted((a, b) => b.count - a.count)
      .slice(0, 5)
      .map(({ count, size, group }) => `${group}:${count}/${size}`);
    console.log(
      `      ${step.padEnd(34)} ${String(members.length).padStart(7)}  P ${precision.toFixed(2)}  R ${recall.toFixed(2)}  ${shown.join(' ')}`,
    );
  }
}

function pagingOf(
  rows: readonly Row[],
  { assignments, pages }: Replayed,
): { steps: number; paged: number; soon: number; urgent: number; urgentTrue: number } {
  const incidentsOf = new Map<string, Set<string>>();
  const firstMs = new Map<string, number>();
  const attacks = new Set<string>();
  for (const [i, { step, timeMs }] of rows.entries()) {
    const incidentId = assignments[i]?.incidentId;
    if (step === noise || incidentId == null) continue;
    firstMs.set(step, Math.min(timeMs, firstMs.get(step) ?? Infinity));
    incidentsOf.set(step, (incidentsOf.get(step) ?? new Set()).add(incidentId));
    attacks.add(incidentId);
  }
  let [paged, soon] = [0, 0];
  const firing = pages.filter(({ status }) => status === 'firing');
  for (const [step, ids] of incidentsOf) {
    const beginMs = firstMs.get(step)!;
    const times = firing
      .filter(({ incidentId, atMs }) => incidentId !== null && ids.has(incidentId) && atMs >= beginMs)
      .map(({ atMs }) => atMs);
    if (times.length > 0) paged++;
    if (times.some((atMs) => atMs <= beginMs + soonMs)) soon++;
  }
  const urgent = firing.filter(({ priority }) => priority === 'P1' || priority === 'P2');
  return {
    steps: incidentsOf.size,
    paged,
    soon,
    urgent: urgent.length,
    urgentTrue: urgent.filter(({ incidentId }) => attacks.has(incidentId ?? '')).length,
  };
}

/** Exact dedup: the runs of one name on one host without a gap of more than five minutes. */
function sessionsOf(rows: readonly Row[]): number {
  const lastMs = new Map<string, number>();
  let count = 0;
  for (const { name, host, timeMs } of rows) {
    const key = `${name}\n${host}`;
    if (timeMs - (lastMs.get(key) ?? -Infinity) > soonMs) count++;
    lastMs.set(key, timeMs);
  }
  return count;
}

/** All executions at once: hosts and steps are prefixed, times moved so that the first scans coincide. */
function overlay(executions: readonly Execution[]): Row[] {
  const isScan = ({ step }: Row): boolean => step !== noise && step !== 'dnsteal';
  const beginMs = executions[0]?.rows.find(isScan)?.timeMs ?? 0;
  return executions
    .flatMap(({ name, rows }) => {
      const moveMs = beginMs - (rows.find(isScan)?.timeMs ?? beginMs);
      return rows.map((row) => ({
        ...row,
        timeMs: row.timeMs + moveMs,
        host: `${name}-${row.host}`,
        step: row.step === noise ? noise : `${name}/${row.step}`,
      }));
    })
    .sort((a, b) => a.timeMs - b.timeMs);
}

function alertOf({ name, ip, host, timeMs }: Row): Alert {
  return alertAt({ alertname: name, host, ip, detector: name.split(':')[0] ?? '' }, name, timeMs);
}

/** Lines are `time,name,ip,host,short,phase,event`; a name may hold commas. */
function readRows(file: string): Row[] {
  const lines = gunzipSync(readFileSync(file)).toString('utf8').trim().split(/\r?\n/).slice(1);
  return lines
    .map((line) => {
      const cells = line.split(',');
      const [ip = '', host = '', , , step = noise] = cells.slice(-5);
      return { timeMs: Number(cells[0]) * 1000, name: cells.slice(1, -5).join(','), ip, host, step };
    })
    .sort((a, b) => a.timeMs - b.timeMs);
}
