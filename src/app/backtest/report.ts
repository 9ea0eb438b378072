import { plotTimeLine, type TimeLine } from './charts.ts';
import type { Comparison, LonelyPage, PagesOf } from './compare.ts';
import type { Regrouped } from './grouping.ts';
import type { IncidentSeen } from './outcome.ts';

export interface ReportOptions {
  readonly comparison: Comparison;
  readonly timeLine: TimeLine;
  /** What was folded, and the names of both configurations. */
  readonly input: string;
  readonly before: string;
  readonly after: string;
  readonly incidentsBefore: ReadonlyMap<string, IncidentSeen>;
  readonly incidentsAfter: ReadonlyMap<string, IncidentSeen>;
}

/** Rows of a list; the rest is counted. */
const shownCount = 50;

/** A page that stands alone: no script, nothing loaded from elsewhere. */
export function renderReport(options: ReportOptions): string {
  const { comparison, timeLine, input, before, after } = options;
  const { lost, lostUrgent, gained, told, agreement } = comparison;
  const saved = comparison.before.pages - comparison.after.pages;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Backtest of ${text(after)}</title><style>${style}</style></head><body>
<h1>Backtest of ${text(after)}</h1>
<p class="quiet">${text(input)}, ${number(comparison.alertCount)} alerts from ${time(timeLine.fromMs)} to ${time(timeLine.toMs)} UTC, against ${text(before)}</p>
<div class="tiles">
${tile(saved >= 0 ? `${number(saved)} fewer` : `${number(-saved)} more`, 'pages')}
${tile(number(lost.length), 'pages lost')}
${tile(number(lostUrgent.length), 'of them of P1 or P2', lostUrgent.length > 0)}
${tile(number(gained.length), 'pages gained')}
${tile(number(told.later), `of ${number(told.both)} alerts told later`)}
</div>
<div class="wide">${plotTimeLine(timeLine)}</div>
<h2>Funnel</h2>${funnelTable(comparison)}
<h2>Pages lost, of incidents that became P1 or P2</h2>${pageTable(lostUrgent)}
<h2>Other pages lost</h2>${pageTable(lost.filter((page) => !lostUrgent.includes(page)))}
<h2>Pages gained</h2>${pageTable(gained)}
<h2>Pages by receiver</h2>${countTable('receiver', comparison.byReceiver)}
<h2>Pages by team</h2>${countTable('team', comparison.byTeam)}
<h2>Incidents</h2>
<p>Of the pairs of alerts that are in one incident now, ${share(agreement.precision)} were before (precision); of those that were, ${share(agreement.recall)} are (recall); F1 ${share(agreement.f1)}, normalized mutual information ${share(agreement.nmi)}.</p>
<h3>Split</h3>${groupTable(comparison.splits, options.incidentsBefore, options.incidentsAfter)}
<h3>Put together</h3>${groupTable(comparison.merges, options.incidentsAfter, options.incidentsBefore)}
</body></html>
`;
}

function tile(value: string, name: string, isBad = false): string {
  return `<div class="tile${isBad ? ' bad' : ''}"><b>${value}</b><span>${name}</span></div>`;
}

function funnelTable({ alertCount, before, after }: Comparison): string {
  return table(
    ['', 'before', 'after'],
    [
      ['alerts', number(alertCount), number(alertCount)],
      ['signals', number(before.signals), number(after.signals)],
      ['incidents', number(before.incidents), number(after.incidents)],
      ['pages', number(before.pages), number(after.pages)],
      ['that say that all is over', number(before.resolvedPages), number(after.resolvedPages)],
    ],
  );
}

function pageTable(pages: readonly LonelyPage[]): string {
  return table(
    ['priority', 'incident', 'alerts', 'time', 'receiver'],
    pages.map(({ page, incidents }) => [
      incidents[0]?.priority ?? '',
      text(incidents[0]?.title ?? page.id),
      number(page.episodes.length),
      time(page.atMs),
      text(page.receiver),
    ]),
  );
}

function countTable(name: string, rows: readonly PagesOf[]): string {
  return table(
    [name, 'before', 'after', 'lost', 'gained'],
    rows.map((row) => [
      text(row.name || '(none)'),
      ...[row.before, row.after, row.lost, row.gained].map(number),
    ]),
  );
}

function groupTable(
  groups: readonly Regrouped[],
  whole: ReadonlyMap<string, IncidentSeen>,
  parts: ReadonlyMap<string, IncidentSeen>,
): string {
  const titleOf = (incidents: ReadonlyMap<string, IncidentSeen>, id: string): string =>
    text(incidents.get(id)?.title ?? (incidents.has(id) ? id : 'in no incident'));
  return table(
    ['incident', 'alerts', 'parts'],
    groups.map(({ group, itemCount, parts: found }) => [
      titleOf(whole, group),
      number(itemCount),
      found
        .slice(0, 3)
        .map((part) => `${titleOf(parts, part.group)} (${number(part.itemCount)})`)
        .join('<br>') + (found.length > 3 ? `<br>and ${number(found.length - 3)} more` : ''),
    ]),
  );
}

/** Cells are HTML. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '<p class="quiet">none</p>';
  const body = rows
    .slice(0, shownCount)
    .map((cells) => `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`)
    .join('\n');
  const rest =
    rows.length > shownCount ? `<p class="quiet">and ${number(rows.length - shownCount)} more</p>` : '';
  return `<div class="wide"><table><thead><tr>${head.map((cell) => `<th>${cell}</th>`).join('')}</tr></thead><tbody>\n${body}\n</tbody></table></div>${rest}`;
}

function text(value: string): string {
  return value
    .toWellFormed()
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

function time(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 19).replace('T', ' ');
}

function number(value: number): string {
  return value.toLocaleString('en');
}

function share(value: number): string {
  return value.toFixed(3);
}

const style = `
:root { color-scheme: light dark; --line: #8884; --quiet: light-dark(#616770, #9aa1ab); --bad: light-dark(#b3261e, #ff8a80); }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1000px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0; overflow-wrap: anywhere; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; } h3 { font-size: 1rem; margin: 1rem 0 .25rem; }
.quiet { color: var(--quiet); overflow-wrap: anywhere; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .75rem; margin: 1rem 0; }
.tile { border: 1px solid var(--line); border-radius: .5rem; padding: .6rem .8rem; }
.tile b { display: block; font-size: 1.4rem; } .tile span { color: var(--quiet); } .tile.bad b { color: var(--bad); }
.wide { overflow-x: auto; } svg { width: 100%; min-width: 640px; height: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line); }
th { color: var(--quiet); font-weight: 500; } td:nth-child(2) { min-width: 12rem; }
`;
