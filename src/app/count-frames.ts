import { commandOf, type AlertChange, type Sighting, type TocsinFrame } from '../incident/index.ts';
import type { Telemetry } from './telemetry.ts';

/** Counts what passed through the fold. Sums up first: a storm costs a handful of additions a batch. */
export function countFrames(frames: readonly TocsinFrame[], telemetry: Telemetry): void {
  const sums = new Map<
    string,
    { name: Parameters<Telemetry['count']>[0]; value: number; attributes: Record<string, string> }
  >();
  const add = (
    name: Parameters<Telemetry['count']>[0],
    attributes: Record<string, string>,
    count = 1,
  ): void => {
    const key = `${name}/${Object.values(attributes).join('/')}`;
    const sum = sums.get(key);
    if (sum) sum.value += count;
    else sums.set(key, { name, value: count, attributes });
  };
  const changes = new Map<AlertChange['change'], number>();
  const sightings = new Map<Sighting['how'], number>();
  for (const frame of frames) {
    const { entry, flow } = frame;
    const command = commandOf(frame);
    if (entry) add('tocsin_log_entries_applied_total', { kind: entry.kind });
    for (const { change } of flow.alertChanges) changes.set(change, (changes.get(change) ?? 0) + 1);
    for (const { how } of flow.sightings) sightings.set(how, (sightings.get(how) ?? 0) + 1);
    for (const { change, reasons } of flow.signalChanges) {
      add('tocsin_signals_total', { change });
      if (reasons.some(({ code }) => code === 'key_missing')) add('tocsin_keys_missing_total', {});
    }
    for (const { priority } of flow.incidents) add('tocsin_incident_revisions_total', { priority });
    for (const { change } of flow.stormChanges)
      if (change !== 'went_on') add('tocsin_storms_total', { change });
    for (const { rootId } of flow.covers)
      add('tocsin_covers_total', { change: rootId === null ? 'released' : 'covered' });
    for (const { untilMs } of flow.holds)
      add('tocsin_holds_total', { change: untilMs === null ? 'released' : 'held' });
    for (const { status } of flow.pages) add('tocsin_pages_total', { status });
    if (entry?.kind === 'fact')
      add('tocsin_effects_total', { kind: entry.payload.kind, status: entry.payload.outcome.status });
    if (command)
      add('tocsin_commands_total', { kind: command.kind, status: flow.answer?.status ?? 'refused' });
  }
  for (const [change, count] of changes) add('tocsin_alert_changes_total', { change }, count);
  for (const [how, count] of sightings) add('tocsin_sightings_total', { how }, count);
  for (const { name, value, attributes } of sums.values()) telemetry.count(name, value, attributes);
}
