import { styleText } from 'node:util';
import { plainText } from '../../alert/index.ts';
import type { Comparison, LonelyPage, PagesOf } from './compare.ts';

const shownCount = 10;

/** What is told of a page in one line: when, to whom, and what it was about. */
export function describePage({ page, incidents }: LonelyPage): string {
  const what = incidents[0] ? `${incidents[0].priority} ${incidents[0].title}` : page.id;
  return `${at(page.atMs)}  ${page.receiver || '(no receiver)'}  ${plainText(what)}`;
}

/** A comparison for a terminal. */
export function renderComparison(comparison: Comparison): string {
  const { before, after, agreement, told, lost, gained, lostUrgent, splits, merges } = comparison;
  const lines = [
    styleText('bold', 'Funnel              before         after'),
    row('alerts', comparison.alertCount, comparison.alertCount),
    row('signals', before.signals, after.signals),
    row('incidents', before.incidents, after.incidents),
    row('pages', before.pages, after.pages),
    '',
    styleText('bold', 'Pages'),
    `  ${count(lost.length)} lost: of none of their alerts is anybody told any more`,
    `  ${count(lostUrgent.length)} of these of incidents that became P1 or P2`,
    `  ${count(gained.length)} gained: of none of their alerts was anybody told before`,
    `  of ${count(told.both)} alerts told of in both, ${count(told.later)} more than a minute later, ${count(told.earlier)} earlier`,
    ...some('Lost, of incidents that became P1 or P2', lostUrgent.map(describePage)),
    ...some('Lost', lost.filter((page) => !lostUrgent.includes(page)).map(describePage)),
    ...some('Gained', gained.map(describePage)),
    ...table('By receiver', comparison.byReceiver),
    ...table('By team', comparison.byTeam),
    '',
    styleText('bold', 'Incidents'),
    `  ${count(splits.length)} split, ${count(merges.length)} put together of several`,
    `  pairs of alerts in one incident: precision ${share(agreement.precision)}, recall ${share(agreement.recall)}, F1 ${share(agreement.f1)}; NMI ${share(agreement.nmi)}`,
  ];
  return lines.join('\n');
}

function some(title: string, all: readonly string[]): string[] {
  if (all.length === 0) return [];
  const rest = all.length - shownCount;
  return [
    '',
    styleText('bold', title),
    ...all.slice(0, shownCount).map((line) => `  ${line}`),
    ...(rest > 0 ? [`  and ${count(rest)} more`] : []),
  ];
}

function table(title: string, rows: readonly PagesOf[]): string[] {
  if (rows.length === 0) return [];
  return [
    '',
    styleText('bold', `${title.padEnd(24)}   before    after     lost   gained`),
    ...rows
      .slice(0, shownCount)
      .map(
        ({ name, before, after, lost, gained }) =>
          `  ${plainText(name || '(none)', 22).padEnd(22)} ${[before, after, lost, gained].map((each) => count(each).padStart(8)).join(' ')}`,
      ),
  ];
}

function row(name: string, before: number, after: number): string {
  return `  ${name.padEnd(10)} ${count(before).padStart(13)} ${count(after).padStart(13)}`;
}

function at(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 19).replace('T', ' ');
}

function count(value: number): string {
  return value.toLocaleString('en');
}

function share(value: number): string {
  return value.toFixed(3);
}
