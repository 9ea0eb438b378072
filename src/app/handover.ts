import { randomUUID } from 'node:crypto';
import { isResolvedAt, labelsToObject, type Alert } from '../alert/index.ts';
import type { CommandGate, Ingest } from '../api/index.ts';
import type { LogEntry, SilenceBody } from '../incident/index.ts';
import type { PartitionLog } from '../log/index.ts';
import type { PartitionStore } from '../store/index.ts';
import type { Pipeline, PipelineStages } from './pipeline.ts';

/** What a process knew when its log was replaced by that of its leader: the leader may never have heard of some of it. */
export interface Handover {
  readonly silences: readonly KnownSilence[];
  readonly alerts: readonly Alert[];
}

interface KnownSilence {
  readonly silence: SilenceBody;
  readonly isExpired: boolean;
  readonly updatedAtMs: number;
}

/** Folds what lies in log and store, and gives what people would miss of it. */
export async function collectHandover(
  log: Pick<PartitionLog<LogEntry>, 'read' | 'lastPosition'>,
  store: Pick<PartitionStore, 'readCheckpoint'>,
  { fold, stages: { intake, mute } }: Pipeline,
): Promise<Handover> {
  fold.restore(await store.readCheckpoint());
  while (fold.position < log.lastPosition) await fold.apply(await log.read(fold.position + 1, readCount));
  return {
    silences: Array.from(mute.silences(), ({ silence, state, updatedAtMs }) => ({
      silence,
      isExpired: state === 'expired',
      updatedAtMs,
    })),
    alerts: [...intake.alerts()],
  };
}

export interface HandoverTarget {
  /** What the leader knows, as far as this process has copied it. */
  readonly stages: Pick<PipelineStages, 'intake' | 'mute'>;
  readonly ingest: Ingest;
  readonly commands: CommandGate;
  readonly nowMs: () => number;
}

const readCount = 64;
/** Alerts that one report carries. */
const alertsAReport = 500;

/**
 * Tells the leader what it does not know: alerts that still fire, and silences that it does not have or that were changed later. Where
 * both know of something, the leader's word counts. Rejects when the leader does not take it.
 */
export async function handOver({ silences, alerts }: Handover, target: HandoverTarget): Promise<void> {
  const { stages, ingest, commands, nowMs } = target;
  for (const { silence, isExpired, updatedAtMs } of silences) {
    const theirs = stages.mute.silence(silence.id);
    if (theirs && theirs.updatedAtMs >= updatedAtMs) continue;
    if (!isExpired) {
      // A silence that is not known yet gets the command's id for its own.
      const id = theirs ? randomUUID() : silence.id;
      await commands.submit({ id, kind: 'silence.set', by: silence.createdBy, body: silence });
    } else if (theirs && theirs.state !== 'expired')
      await commands.submit({
        id: randomUUID(),
        kind: 'silence.expire',
        by: silence.createdBy,
        body: { silenceId: silence.id },
      });
  }

  const unknown = alerts.filter(
    (alert) => !isResolvedAt(alert, nowMs()) && !stages.intake.alert(alert.fingerprint),
  );
  for (const [domain, ofDomain] of Map.groupBy(unknown, (alert) => alert.domain)) {
    for (let at = 0; at < ofDomain.length; at += alertsAReport) {
      const body = Buffer.from(JSON.stringify(ofDomain.slice(at, at + alertsAReport).map(toReport)));
      const outcome = await ingest.accept({ format: 'alertmanager', domain, body });
      if (outcome.status === 'unavailable') throw new Error(outcome.message);
    }
  }
}

/** As `POST /api/v2/alerts` takes it. */
function toReport(alert: Alert): Record<string, unknown> {
  return {
    labels: labelsToObject(alert.labels),
    annotations: labelsToObject(alert.annotations),
    startsAt: new Date(alert.startsAtMs).toISOString(),
    ...(alert.endsByTimeout ? {} : { endsAt: new Date(alert.endsAtMs).toISOString() }),
    generatorURL: alert.generatorUrl,
  };
}
