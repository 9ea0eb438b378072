import { labelValue, severityRank } from '../alert/index.ts';
import type { Member } from './triage-signal.ts';

const placeLabels = ['host', 'hostname', 'instance', 'node', 'pod', 'device', 'ip', 'namespace', 'cluster'];
const maxLength = 120;

/** The member that the title names: the probable cause, else the most severe one, of several the first. */
export function headOf(members: readonly Member[], causeId: string | null): Member | undefined {
  const cause = members.find(({ signal }) => signal.id === causeId);
  if (cause) return cause;
  return members.reduce<Member | undefined>(
    (head, member) => (head && !isAhead(member, head) ? head : member),
    undefined,
  );
}

/** One line for people: `payments-db: DiskWillFill, and 4 more signals on 3 services`. */
export function titleOf(head: Member, signalCount: number, serviceCount: number): string {
  const { signal, service } = head;
  const place =
    service ?? placeLabels.map((label) => labelValue(signal.labels, label)).find((value) => value !== '');
  const name = labelValue(signal.labels, 'alertname') || signal.text;
  const first = cut(place === undefined ? name : `${place}: ${name}`);
  if (signalCount < 2) return first;
  const others = `${signalCount - 1} more signal${signalCount === 2 ? '' : 's'}`;
  return serviceCount > 1 ? `${first}, and ${others} on ${serviceCount} services` : `${first}, and ${others}`;
}

function isAhead({ signal: a }: Member, { signal: b }: Member): boolean {
  const order = severityRank(a.severity) - severityRank(b.severity);
  return order === 0 ? a.sinceMs < b.sinceMs : order > 0;
}

function cut(text: string): string {
  return text.length <= maxLength ? text : `${text.slice(0, maxLength - 1).trimEnd()}…`;
}
