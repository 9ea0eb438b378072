import { fingerprint, formatDuration, labelsOf, type Alert } from '../alert/index.ts';
import type { Incident, NotifiedAlert, Storm, TocsinFrame } from '../incident/index.ts';
import type { StormPages } from './calm.ts';
import type { Group } from './group.ts';
import type { Pager } from './pager.ts';
import { integrationsFor, type DispatchSettings } from './settings.ts';

/** What is told of a storm that is over. */
export interface StormReport {
  readonly group: Omit<Group, 'receiver'>;
  readonly alerts: readonly NotifiedAlert[];
  readonly reason: string;
  readonly notices: readonly string[];
}

/** How long it is tried to tell what a storm was. */
const reportRetryMs = 15 * 60_000;
const maxFamilies = 5;
const maxIncidents = 5;

/** Sums up a storm for the receivers that were paged in it. `covered` are the open incidents that it left without a page of their own. */
export function reportOf(
  { storm, pageCount, heldCount }: Omit<StormPages, 'receivers'>,
  covered: readonly { readonly incident: Incident; readonly rootId: string }[],
): StormReport {
  const { id, domain, startedAtMs, endedAtMs } = storm;
  const endMs = endedAtMs ?? startedAtMs;
  const labels = labelsOf({ alertname: 'Storm', storm: id, domain });
  const reason = `${id} is over after ${formatDuration(Math.max(1000, endMs - startedAtMs))}`;
  const counts = countsOf(storm, pageCount, heldCount);
  const notices = [...familyLines(storm), ...coveredLines(covered)];
  const alert: Alert = {
    fingerprint: fingerprint(labels),
    domain,
    labels,
    annotations: labelsOf({ summary: counts, description: [reason, ...notices].join('\n') }),
    startsAtMs: startedAtMs,
    endsAtMs: endMs,
    endsByTimeout: false,
    receivedAtMs: endMs,
    generatorUrl: '',
    source: 'tocsin',
  };
  const group = {
    id: `storm/${id}`,
    key: `storm:${id}`,
    routeKey: '',
    labels: labelsOf(domain === 'default' ? { storm: id } : { storm: id, domain }),
    incidentId: null,
    groupWaitMs: 0,
    hasFlushed: true,
    heldBecause: '',
  };
  return { group, alerts: [{ alert, status: 'resolved' }], reason, notices };
}

/** Tells the receivers that the storm is over. Those that hear of no ends hear nothing. */
export function sendReport(
  { group, alerts, reason, notices }: StormReport,
  receivers: readonly string[],
  settings: DispatchSettings,
  pager: Pager,
  frame: TocsinFrame,
): void {
  for (const receiver of receivers) {
    const all = integrationsFor(settings, receiver);
    const tellings = all
      .filter(({ sendResolved }) => sendResolved)
      .map((integration) => ({ integration, reason }));
    if (tellings.length === 0) continue;
    const id = `${receiver}|${group.id}`;
    pager.send(
      {
        group: { ...group, id, receiver },
        alerts,
        incident: null,
        tellings,
        isSole: all.length === 1,
        firing: [],
        resolved: [],
        gone: [],
        notices,
        retryForMs: reportRetryMs,
      },
      frame,
    );
    pager.forgetTold(id);
  }
}

function countsOf(storm: Storm, pageCount: number, heldCount: number): string {
  const { signalCount, incidentCount, peakCount, windowMs, reasons } = storm;
  return (
    `${counted(signalCount, 'signal')} in ${counted(incidentCount, 'incident')}, at its height ${peakCount} in ${formatDuration(windowMs)}; ` +
    `${counted(pageCount, 'page')}, and ${heldCount} held back; it began with ${reasons[0]?.text ?? ''}`
  );
}

function familyLines({ families, otherCount }: Storm): string[] {
  const largest = families.toSorted((a, b) => b.signalCount - a.signalCount);
  const shown = largest.slice(0, maxFamilies);
  const rest = largest.slice(maxFamilies).reduce((sum, { signalCount }) => sum + signalCount, otherCount);
  return [
    ...shown.map(({ signalCount, kind, services, serviceCount, rootId, representative }) => {
      const [first] = services;
      const others = serviceCount > 1 ? ` and ${counted(serviceCount - 1, 'more service')}` : '';
      const where = first === undefined ? '' : ` on ${first}${others}`;
      return `${signalCount} × ${kind}${where}, such as "${representative.text}"${rootId === null ? '' : ` (${rootId})`}`;
    }),
    ...(rest > 0 ? [`${counted(rest, 'signal')} of other kinds`] : []),
  ];
}

function coveredLines(
  covered: readonly { readonly incident: Incident; readonly rootId: string }[],
): string[] {
  if (covered.length === 0) return [];
  const shown = covered
    .slice(0, maxIncidents)
    .map(({ incident: { id, priority, title }, rootId }) => `${id} ${priority} ${title}, with ${rootId}`);
  const more = covered.length - shown.length;
  return [
    `${counted(covered.length, 'incident')} still open without a page, until what stands for them is over:`,
    ...shown,
    ...(more > 0 ? [`and ${more} more`] : []),
  ];
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
