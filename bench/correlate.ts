/**
 * Correlation and triage behind the real intake, mute and dedup stages:
 *
 *   node bench/correlate.ts ALERTS.ndjson [--groups OUT] [--correlate JSON]
 *
 * The lines must be in the order of their times. Prints how many alerts became how many signals, incidents and revisions, the sizes of the biggest incidents, and what
 * the two stages cost by themselves. `--groups` writes the incident of each alert, one a line, for scoring a grouping;
 * `--correlate` overrides keys of that section.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Alert } from '../src/alert/index.ts';
import { correlateConfig, createCorrelateStage, type CorrelateStage } from '../src/correlate/index.ts';
import { createDedupStage, type DedupStage } from '../src/dedup/index.ts';
import { Fold } from '../src/engine/index.ts';
import {
  createFlow,
  type Flow,
  type LogEntry,
  type TocsinStage,
  type TocsinStageFactory,
} from '../src/incident/index.ts';
import { createMuteStage } from '../src/mute/index.ts';
import { createIntakeStage, readAlertLines } from '../src/source/index.ts';
import { createTriageStage } from '../src/triage/index.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { groups: { type: 'string' }, correlate: { type: 'string' } },
});
const [file] = positionals;
if (file === undefined)
  throw new Error('usage: node bench/correlate.ts ALERTS.ndjson [--groups OUT] [--correlate JSON]');

const spentMs = { correlate: 0, triage: 0 };
let dedup!: DedupStage;
let correlate!: CorrelateStage;
const fold = new Fold<LogEntry, Flow>({
  stages: [
    ['source', createIntakeStage],
    ['mute', createMuteStage],
    ['dedup', (context) => (dedup = createDedupStage(context))],
    ['correlate', timed('correlate', (context) => (correlate = createCorrelateStage(context)))],
    ['triage', timed('triage', createTriageStage)],
  ],
  createFlow,
});

const groups: (string | null)[] = [];
const seen = { alerts: 0, openings: 0, revisions: 0, links: 0 };
const sizes = new Map<string, number>();
const mergedInto = new Map<string, string>();
const lineContext = { resolveTimeoutMs: 300_000, defaultDomain: 'default', domainLabel: 'domain' };
const config = { correlate: correlateConfig.parse(JSON.parse(values.correlate ?? '{}')) };
const startedMs = performance.now();
let pending: Alert[] = [];
for await (const { alerts } of readAlertLines(file, lineContext)) {
  for (const alert of alerts) {
    if (pending[0] !== undefined && pending[0].receivedAtMs !== alert.receivedAtMs) await flush();
    pending.push(alert);
  }
}
await flush();
report((performance.now() - startedMs) / 1000);

/** Folds the reports of one moment in. */
async function flush(): Promise<void> {
  const timeMs = pending[0]?.receivedAtMs;
  if (timeMs === undefined) return;
  if (fold.position === 0) await apply({ kind: 'config', timeMs, payload: config });
  await apply({ kind: 'alerts', timeMs, payload: pending });
  if (values.groups !== undefined) {
    for (const { fingerprint } of pending) {
      const signal = dedup.signalOf(fingerprint);
      groups.push(signal ? (correlate.candidateOfSignal(signal.id)?.id ?? null) : null);
    }
  }
  pending = [];
}

async function apply(entry: LogEntry): Promise<void> {
  const { frames } = await fold.apply({ firstPosition: fold.position + 1, entries: [entry] });
  seen.alerts += entry.kind === 'alerts' ? entry.payload.length : 0;
  for (const { flow } of frames) {
    seen.openings += flow.signalChanges.filter(
      ({ change }) => change === 'opened' || change === 'reopened',
    ).length;
    seen.revisions += flow.incidents.length;
    for (const { candidate, links } of flow.candidateChanges) {
      seen.links += links.length;
      if (candidate.mergedInto === null) sizes.set(candidate.id, candidate.signalIds.length);
      else {
        sizes.delete(candidate.id);
        mergedInto.set(candidate.id, candidate.mergedInto);
      }
    }
  }
}

function report(seconds: number): void {
  const { alerts, openings, revisions, links } = seen;
  const biggest = [...sizes.values()].sort((a, b) => b - a).slice(0, 10);
  const stageSeconds = (spentMs.correlate + spentMs.triage) / 1000;
  console.log(`alerts      ${alerts}`);
  console.log(`signals     ${openings} opened or reopened, ${links} linked`);
  console.log(
    `incidents   ${sizes.size}, ${mergedInto.size} more merged; biggest ${biggest.join(', ')} signals`,
  );
  console.log(`revisions   ${revisions}`);
  console.log(`whole       ${seconds.toFixed(2)} s, ${Math.round(alerts / seconds)} alerts/s`);
  console.log(
    `correlate   ${(spentMs.correlate / 1000).toFixed(2)} s, ${Math.round((openings / spentMs.correlate) * 1000)} signals/s`,
  );
  console.log(`triage      ${(spentMs.triage / 1000).toFixed(2)} s`);
  console.log(`both        ${((stageSeconds * 1e9) / alerts).toFixed(0)} ns an alert`);
  if (values.groups === undefined) return;
  writeFileSync(values.groups, groups.map((id) => `${finalOf(id)}\n`).join(''));
}

/** The incident that a merged one has ended in; `null` stays alone. */
function finalOf(id: string | null): string {
  let last = id;
  for (let next = last; next !== null; next = mergedInto.get(next) ?? null) last = next;
  return last ?? '{}';
}

/** Measures the time that a stage takes by itself. */
function timed(name: keyof typeof spentMs, create: TocsinStageFactory): TocsinStageFactory {
  return (context): TocsinStage => {
    const stage = create(context);
    return {
      name: stage.name,
      restore: (entry) => stage.restore?.(entry),
      onFrame: (frame) => measure(name, () => stage.onFrame(frame)),
      onTimer: (key, frame) => measure(name, () => stage.onTimer?.(key, frame)),
    };
  };
}

function measure(name: keyof typeof spentMs, act: () => void): void {
  const fromMs = performance.now();
  act();
  spentMs[name] += performance.now() - fromMs;
}
