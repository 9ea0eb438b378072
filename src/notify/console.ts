import { styleText } from 'node:util';
import { formatDuration, labelPairs, labelValue } from '../alert/index.ts';
import type { Incident, Notification } from '../incident/index.ts';
import type { Integration } from './integration.ts';
import { plainText } from '../alert/index.ts';

export interface ConsoleOptions {
  readonly name: string;
  readonly sendResolved: boolean;
  readonly print: (text: string) => void;
  readonly externalUrl: string;
}

/** Prints pages as a responder would read them. */
export function createConsole({ name, sendResolved, print, externalUrl }: ConsoleOptions): Integration {
  return {
    name,
    sendResolved,
    async send(id, notification) {
      print(renderPage(id, notification, { externalUrl }));
    },
  };
}

export interface PageOptions {
  /** Where this server is reached; without it no step is offered that needs it. */
  readonly externalUrl?: string;
  /** Colours; unless said, as standard output can show them (no terminal or `NO_COLOR`: none). */
  readonly isColored?: boolean;
}

type Paint = (format: Parameters<typeof styleText>[0], text: string) => string;

const shownReasonCount = 4;
const shownAlertCount = 5;
const shownNameCount = 5;

/**
 * A page as text: how urgent, what, why, since when, and what to do next. Texts from outside are shown without control characters: a
 * label cannot move the cursor of whoever reads it.
 */
export function renderPage(
  id: string,
  notification: Notification,
  { externalUrl = '', isColored }: PageOptions = {},
): string {
  const paint: Paint = (format, text) => {
    if (isColored === undefined) return styleText(format, text);
    return isColored ? styleText(format, text, { validateStream: false }) : text;
  };
  const { incident } = notification;
  const lines = incident
    ? renderIncident(notification, incident, externalUrl, paint)
    : renderGroup(notification, paint);
  const footer = paint('dim', `   page ${plainText(id)} to ${plainText(notification.receiver)}`);
  return ['', ...lines, footer].join('\n');
}

function renderIncident(
  notification: Notification,
  incident: Incident,
  externalUrl: string,
  paint: Paint,
): string[] {
  const time = clock(notification.atMs);
  const title = plainText(incident.title);
  if (notification.status === 'resolved') {
    const lasted = minutes(notification.atMs - incident.openedAtMs);
    return [
      `${paint('green', '✓')} ${time}  ${incident.id} is over after ${lasted}: ${title}`,
      `   ${count(incident.alertCount, 'alert')} in ${count(incident.signalCount, 'signal')}`,
      ...field('note', notes(notification)),
    ];
  }
  const style = incident.priority === 'P1' || incident.priority === 'P2' ? 'red' : 'yellow';
  return [
    `${paint(['bold', style], `▲ ${incident.priority}`)} ${time}  ${paint('bold', `${incident.id}  ${title}`)}`,
    `   ${notification.notificationReason}; ${count(incident.alertCount, 'alert')} in ${count(incident.signalCount, 'signal')} since ${clock(incident.openedAtMs)}`,
    `   ${incident.severity}, ${incident.category}, confidence ${incident.confidence.toFixed(2)}${incident.acknowledgedBy === null ? '' : `, acknowledged by ${plainText(incident.acknowledgedBy)}`}`,
    ...field('note', notes(notification)),
    ...field('affects', incident.services.length > 0 ? [names(incident.services)] : []),
    ...field('cause', causeLines(incident)),
    ...field(
      'why',
      incident.reasons.slice(0, shownReasonCount).map(({ text }) => plainText(text)),
    ),
    ...field('before', similarLines(incident)),
    ...field('next', nextSteps(notification, incident, externalUrl)),
  ];
}

function notes({ notices = [] }: Notification): string[] {
  return notices.map((notice) => plainText(notice));
}

function causeLines({ probableCauses: [cause] }: Incident): string[] {
  if (!cause) return [];
  const why = cause.reasons[0] ? `: ${plainText(cause.reasons[0].text)}` : '';
  return [`${plainText(cause.text)} (${Math.round(cause.score * 100)} %${why})`];
}

function similarLines({ similar: [past], historyMissing }: Incident): string[] {
  if (historyMissing) return ['the history could not be asked for similar incidents'];
  if (!past) return [];
  const lasted =
    past.resolvedAtMs === null ? '' : `, over after ${minutes(past.resolvedAtMs - past.openedAtMs)}`;
  return [
    `${past.incidentId} "${plainText(past.title, 100)}" (similarity ${past.similarity.toFixed(2)}${lasted})`,
  ];
}

function nextSteps({ alerts }: Notification, { id, state }: Incident, externalUrl: string): string[] {
  const runbooks = new Set(alerts.map(({ alert }) => labelValue(alert.annotations, 'runbook_url')));
  runbooks.delete('');
  return [
    ...[...runbooks].slice(0, 2).map((url) => `read ${plainText(url)}`),
    `tocsin explain ${id}`,
    ...(externalUrl === '' || state !== 'open'
      ? []
      : [`acknowledge: POST ${externalUrl}/api/v1/incidents/${encodeURIComponent(id)}/acknowledge`]),
  ];
}

function renderGroup(notification: Notification, paint: Paint): string[] {
  const { status, groupKey, groupLabels, alerts, unchangedCount, notificationReason, atMs } = notification;
  const mark = status === 'resolved' ? paint('green', '✓') : paint(['bold', 'yellow'], '▲');
  const firing = alerts.filter((alert) => alert.status === 'firing').length;
  const labels = [...labelPairs(groupLabels)].map(([name, value]) => `${name}=${value}`).join(' ');
  const left = alerts.length - shownAlertCount;
  return [
    `${mark} ${clock(atMs)}  ${plainText(labels === '' ? groupKey : labels)}`,
    `   ${notificationReason}; ${firing} firing, ${alerts.length - firing} resolved`,
    ...field('note', notes(notification)),
    ...alerts.slice(0, shownAlertCount).map(({ alert, status }) => {
      const text = labelValue(alert.annotations, 'summary') || labelValue(alert.labels, 'alertname');
      return `   - ${plainText(text)}${status === 'resolved' ? ' (resolved)' : ''}`;
    }),
    ...(left > 0 ? [`   - and ${left} more`] : []),
    ...(unchangedCount > 0 ? [`   - and ${unchangedCount} as before`] : []),
  ];
}

/** `   name     first line`, and the others below it. */
function field(name: string, lines: readonly string[]): string[] {
  return lines.map((line, index) => `   ${(index === 0 ? name : '').padEnd(8)} ${line}`);
}

function clock(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(11, 19);
}

function minutes(ms: number): string {
  return ms < 60_000
    ? formatDuration(Math.max(0, Math.round(ms / 1000) * 1000))
    : formatDuration(Math.round(ms / 60_000) * 60_000);
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

function names(all: readonly string[]): string {
  const shown = all
    .slice(0, shownNameCount)
    .map((name) => plainText(name, 80))
    .join(', ');
  return all.length <= shownNameCount ? shown : `${shown} and ${all.length - shownNameCount} more`;
}
