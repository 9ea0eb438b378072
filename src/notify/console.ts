import { styleText } from 'node:util';
import type { Incident, Notification } from '../incident/index.ts';
import type { Integration } from './integration.ts';

/** Prints pages as a responder would read them. */
export function createConsole(
  name: string,
  sendResolved: boolean,
  print: (text: string) => void,
): Integration {
  return {
    name,
    sendResolved,
    async send(id, notification) {
      print(renderPage(id, notification));
    },
  };
}

const shownReasonCount = 4;

/** A page as text: what, how urgent, why, since when, and what to do next. */
export function renderPage(id: string, notification: Notification): string {
  const { incident } = notification;
  const lines = incident ? renderIncident(notification, incident) : renderGroup(notification);
  return ['', ...lines, styleText('dim', `   page ${id} to ${notification.receiver}`)].join('\n');
}

function renderIncident(notification: Notification, incident: Incident): string[] {
  const time = clock(notification.atMs);
  if (notification.status === 'resolved') {
    const minutes = Math.round((notification.atMs - incident.openedAtMs) / 60_000);
    return [
      `${styleText('green', '✓')} ${time}  ${incident.id} is over after ${minutes} min: ${incident.title}`,
    ];
  }
  const style = incident.priority === 'P1' || incident.priority === 'P2' ? 'red' : 'yellow';
  const [cause] = incident.probableCauses;
  const [past] = incident.similar;
  return [
    `${styleText(['bold', style], `▲ ${incident.priority}`)} ${time}  ${styleText('bold', `${incident.id}  ${incident.title}`)}`,
    `   ${notification.notificationReason}; ${incident.alertCount} alerts in ${count(incident.signalCount, 'signal')}, ${incident.severity}, ${incident.category}, confidence ${incident.confidence.toFixed(2)}`,
    ...(incident.services.length > 0 ? [`   affects ${list(incident.services)}`] : []),
    ...(cause
      ? [`   probable cause: ${cause.text}${cause.reasons[0] ? ` (${cause.reasons[0].text})` : ''}`]
      : []),
    ...incident.reasons.slice(0, shownReasonCount).map((reason) => `   - ${reason.text}`),
    ...(past
      ? [`   similar before: ${past.incidentId} "${past.title}" (${past.similarity.toFixed(2)})`]
      : []),
    ...(incident.historyMissing ? ['   the history could not be asked for similar incidents'] : []),
  ];
}

function renderGroup({ status, groupKey, alerts, notificationReason, atMs }: Notification): string[] {
  const mark = status === 'resolved' ? styleText('green', '✓') : styleText(['bold', 'yellow'], '▲');
  const firing = alerts.filter((alert) => alert.status === 'firing').length;
  return [
    `${mark} ${clock(atMs)}  ${groupKey}`,
    `   ${notificationReason}; ${firing} firing, ${alerts.length - firing} resolved`,
  ];
}

function clock(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(11, 19);
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

function list(names: readonly string[]): string {
  return names.length <= 5
    ? names.join(', ')
    : `${names.slice(0, 5).join(', ')} and ${names.length - 5} more`;
}
