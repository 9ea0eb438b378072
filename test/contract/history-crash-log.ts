import type { CandidateChange, LogEntry, SignalChange } from '../../src/incident/index.ts';
import {
  alertOf,
  candidateOf,
  incidentOf,
  notifyOf,
  pageOf,
  signalOf,
  signatureOf,
  similarTo,
  type Moment,
  stormOf,
} from '../history/scene.ts';
import { startMs } from './history-scenes.ts';

/** A log that depends on its length alone. It fills every table; incidents share bands, and alerts repeat within one row. */
export function createCrashLog(length: number): Moment[] {
  return Array.from({ length }, (_, i) => momentAt(i));
}

const base = signatureOf('crash');
const reasons = [{ stage: 'dedup' as const, code: 'similar_text', text: 'similar text', weight: 0.5 }];

function momentAt(i: number): Moment {
  const timeMs = startMs + i * 1_000;
  const round = Math.floor(i / 8);
  const id = `crash-${round}`;
  const domain = `crash-${round % 3}`;
  const tick: LogEntry = { kind: 'tick', timeMs, payload: null };
  const alert = alertOf({ alertname: 'Crash', instance: `${round % 20}` }, { domain });
  const signal = signalOf(`${id}-s`, {
    domain,
    signature: similarTo(base, 0.9, `${round % 5}`),
    template: `Disk <num> of ${round % 5}`,
    firstAtMs: timeMs,
  });
  const candidate = candidateOf(id, [signal.id], { domain, openedAtMs: timeMs });
  const incident = incidentOf(id, { domain, openedAtMs: timeMs - (i % 8) * 1_000, services: ['db'] });
  switch (i % 8) {
    case 0:
      return {
        entry: { kind: 'alerts', timeMs, payload: [alert] },
        flow: {
          alertChanges: [{ change: round < 20 ? 'fired' : 'repeated', alert, index: 0 }],
          sightings: [{ fingerprint: alert.fingerprint, signalId: signal.id, how: 'exact', similarity: 1 }],
          verdictChanges: [
            { fingerprint: alert.fingerprint, verdict: { muted: true, silencedBy: [id], inhibitedBy: [] } },
          ],
        },
      };
    case 1: {
      const changes: SignalChange[] = [{ change: 'opened', signal, reasons }];
      const candidates: CandidateChange[] = [
        {
          change: 'opened',
          candidate,
          links: [{ fromSignalId: signal.id, toSignalId: `crash-${round - 1}-s`, weight: 1, reasons }],
        },
      ];
      return {
        entry: tick,
        flow: { signalChanges: changes, candidateChanges: candidates, incidents: [incident] },
      };
    }
    case 2:
      return {
        entry: tick,
        flow: { pages: [pageOf(`${id}-p`, { incidentId: id })] },
        effects: [notifyOf(`${id}-p`)],
      };
    case 3:
      return {
        entry: {
          kind: 'fact',
          timeMs,
          payload: {
            effectId: `${id}-p`,
            kind: 'notify',
            outcome:
              round % 4 === 0
                ? { status: 'failed', code: 'TOC_NOTIFY_REFUSED', message: '404' }
                : { status: 'done', result: null },
          },
        },
      };
    case 4:
      return {
        entry: {
          kind: 'command',
          timeMs,
          payload: {
            id: `${id}-c`,
            kind: 'incident.acknowledge',
            by: 'ann',
            body: { incidentId: id, comment: '' },
          },
        },
        flow: { incidents: [{ ...incident, revision: 2, state: 'acknowledged', acknowledgedBy: 'ann' }] },
      };
    case 5:
      return {
        entry: { kind: 'alerts', timeMs, payload: [alert] },
        flow: { alertChanges: [{ change: 'repeated', alert, index: 0 }] },
      };
    case 6:
      return {
        entry: tick,
        flow: {
          stormChanges: [{ change: 'ended', storm: stormOf(`${id}-storm`, timeMs) }],
          covers: [
            {
              incidentId: id,
              stormId: `${id}-storm`,
              rootId: `crash-${round - 1}`,
              sameAs: [],
              reason: reasons[0]!,
            },
          ],
          signalChanges: [
            { change: 'resolved', signal: { ...signal, state: 'resolved', resolvedAtMs: timeMs }, reasons },
          ],
        },
      };
    default:
      return {
        entry: tick,
        flow: {
          candidateChanges: [
            {
              change: 'resolved',
              candidate: { ...candidate, state: 'resolved', resolvedAtMs: timeMs },
              links: [],
            },
          ],
          incidents: [{ ...incident, revision: 3, state: 'resolved', resolvedAtMs: timeMs }],
        },
      };
  }
}
