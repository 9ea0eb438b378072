import { styleText } from 'node:util';
import { plainText } from '../alert/index.ts';
import type { Incident } from '../incident/index.ts';
import type { Funnel } from './funnel.ts';

export interface ReplaySummary {
  readonly alerts: number;
  readonly signals: number;
  readonly incidents: number;
  readonly pages: number;
  readonly resolvedPages: number;
  readonly badLines: number;
  readonly seconds: number;
  readonly alertsPerSecond: number;
  readonly biggest: readonly Incident[];
}

export interface ReplayFigures {
  readonly funnel: Funnel;
  readonly incidents: readonly Incident[];
  readonly alertCount: number;
  readonly badLineCount: number;
  readonly seconds: number;
}

const biggestCount = 10;

export function summarizeReplay({
  funnel,
  incidents,
  alertCount,
  badLineCount,
  seconds,
}: ReplayFigures): ReplaySummary {
  return {
    alerts: alertCount,
    signals: funnel.signals,
    incidents: funnel.incidents,
    pages: funnel.pages,
    resolvedPages: funnel.resolvedPages,
    badLines: badLineCount,
    seconds: Math.round(seconds * 1000) / 1000,
    alertsPerSecond: seconds > 0 ? Math.round(alertCount / seconds) : 0,
    biggest: incidents.toSorted((a, b) => b.alertCount - a.alertCount).slice(0, biggestCount),
  };
}

/** The funnel and the biggest incidents, for a terminal. */
export function renderReplay(summary: ReplaySummary): string {
  const lines = [
    ...renderFunnel(summary),
    '',
    ...(summary.biggest.length > 0 ? [styleText('bold', 'Biggest incidents')] : []),
    ...summary.biggest.flatMap(renderIncident),
    '',
    `${number(summary.alerts)} alerts in ${summary.seconds.toFixed(2)} s: ${number(summary.alertsPerSecond)} alerts/s`,
  ];
  if (summary.badLines > 0)
    lines.push(`${number(summary.badLines)} lines could not be read and were skipped`);
  return lines.join('\n');
}

export function renderFunnel(
  counts: Pick<ReplaySummary, 'alerts' | 'signals' | 'incidents' | 'pages' | 'resolvedPages'>,
): string[] {
  return [
    `  alerts     ${cell(counts.alerts)}`,
    `  signals    ${cell(counts.signals)}   ${reduction(counts.alerts, counts.signals)}`,
    `  incidents  ${cell(counts.incidents)}   ${reduction(counts.signals, counts.incidents)}`,
    `  pages      ${cell(counts.pages)}   ${reduction(counts.alerts, counts.pages)} of the alerts; ${number(counts.resolvedPages)} more say that all is over`,
  ];
}

export function renderIncident(incident: Incident): string[] {
  const head = `${styleText('bold', incident.priority)} ${incident.id}  ${plainText(incident.title)}`;
  const counts = `${counted(incident.alertCount, 'alert')}, ${counted(incident.signalCount, 'signal')}, ${incident.category}, ${span(incident)}`;
  return [
    '',
    `  ${head}`,
    `     ${counts}`,
    ...incident.reasons.slice(0, 4).map((reason) => `     - ${plainText(reason.text)}`),
  ];
}

function span({ openedAtMs, updatedAtMs, resolvedAtMs, state }: Incident): string {
  const minutes = Math.round(((resolvedAtMs ?? updatedAtMs) - openedAtMs) / 60_000);
  return `${new Date(openedAtMs).toISOString().slice(0, 19).replace('T', ' ')}, ${minutes} min, ${state}`;
}

function cell(count: number): string {
  return number(count).padStart(11);
}

function counted(count: number, noun: string): string {
  return `${number(count)} ${noun}${count === 1 ? '' : 's'}`;
}

function number(count: number): string {
  return count.toLocaleString('en');
}

function reduction(before: number, after: number): string {
  return before === 0 ? '' : `${(100 * (after / before - 1)).toFixed(1)} %`.replace('-', '−');
}
