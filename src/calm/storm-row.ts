import { formatDuration, maxSeverity } from '../alert/index.ts';
import type { Reason, Storm, StormFamily, UsualRate } from '../incident/index.ts';
import type { MemberSignal } from './members.ts';

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** A storm as it is kept: changed in place. */
export interface StormRow extends Mutable<Omit<Storm, 'families'>> {
  families: (Mutable<Omit<StormFamily, 'services'>> & { services: string[] })[];
  /** Since when counts have been calm; null while they are not. */
  calmSinceMs: number | null;
}

const maxFamilies = 50;
const maxServices = 100;
const shownServices = 10;

export function createStormRow(
  id: string,
  domain: string,
  found: Pick<Storm, 'count' | 'usual' | 'calmCount' | 'windowMs' | 'reasons'>,
  nowMs: number,
): StormRow {
  return {
    ...found,
    id,
    domain,
    state: 'on',
    startedAtMs: nowMs,
    endedAtMs: null,
    peakCount: found.count,
    signalCount: 0,
    incidentCount: 0,
    coveredCount: 0,
    families: [],
    otherCount: 0,
    calmSinceMs: null,
  };
}

/** Counts a signal into the family of those that are of its kind and belong to one root. */
export function addToFamily(row: StormRow, signal: MemberSignal, rootId: string | null): void {
  const { id: signalId, kind, text, severity, service } = signal;
  row.signalCount++;
  let family = row.families.find((other) => other.kind === kind && other.rootId === rootId);
  if (!family) {
    if (row.families.length >= maxFamilies) {
      row.otherCount++;
      return;
    }
    const representative = { signalId, text };
    const empty = { signalCount: 0, services: [], serviceCount: 0 };
    row.families.push((family = { kind, rootId, severity, representative, ...empty }));
  }
  family.signalCount++;
  family.severity = maxSeverity(family.severity, severity);
  if (service === null || family.services.includes(service) || family.services.length >= maxServices) return;
  family.services.push(service);
  family.serviceCount = family.services.length;
}

/** A copy that later stages may keep. */
export function copyStorm({ calmSinceMs: _, ...row }: StormRow): Storm {
  const families = row.families.map((family) => ({
    ...family,
    services: family.services.slice(0, shownServices),
  }));
  return { ...row, families };
}

/** Why so many are a storm. */
export function stormReason(
  count: number,
  windowMs: number,
  usual: UsualRate | null,
  probability: number,
): Reason {
  const text = `${count} signals in ${formatDuration(windowMs)} ${usualText(usual)}`;
  if (usual === null) return { stage: 'calm', code: 'storm', text };
  return {
    stage: 'calm',
    code: 'storm',
    text: `${text} (probability ${probability.toExponential(0)})`,
    weight: probability,
  };
}

/** What is usual, for people, with where that is known from. */
export function usualText(usual: UsualRate | null): string {
  if (usual === null) return 'while it is still being learned what is usual';
  const { mean, variance, windows, scope } = usual;
  const high = Math.max(1, Math.round(mean + 2 * Math.sqrt(variance)));
  const when = { hour_of_week: ' at this hour of the week', hour_of_day: ' at this hour', any: '' }[scope];
  return `where ${mean.toFixed(1)} are usual${when} and up to ${high} not rare, by ${windows} windows`;
}
