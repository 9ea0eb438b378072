import { labelsOf } from '../../src/alert/index.ts';
import type { Signal } from '../../src/incident/index.ts';
import {
  alertOf,
  candidateOf,
  incidentOf,
  notifyOf,
  pageOf,
  signalOf,
  stormOf,
  type Moment,
} from '../history/scene.ts';

export const startMs = Date.UTC(2024, 2, 1, 12);
export const minuteMs = 60_000;

interface PastIncident {
  readonly domain: string;
  readonly openedAtMs: number;
  readonly services: readonly string[];
  readonly state: 'open' | 'merged';
}

/** One past incident of one signal. Log time does not matter here, only what the rows say. */
export function pastIncident(
  id: string,
  signature: readonly number[],
  change: Partial<PastIncident> = {},
): Moment {
  const { domain = 'recall', openedAtMs = startMs, services = ['db'], state = 'open' } = change;
  const signal: Signal = signalOf(`${id}-s`, { domain, signature });
  return {
    entry: { kind: 'tick', timeMs: startMs, payload: null },
    flow: {
      signalChanges: [{ change: 'opened', signal, reasons: [] }],
      candidateChanges: [
        { change: 'opened', candidate: candidateOf(id, [signal.id], { domain, openedAtMs }), links: [] },
      ],
      incidents: [
        incidentOf(id, { domain, openedAtMs, services, state, title: `Incident ${id}`, priority: 'P2' }),
      ],
    },
  };
}

export function tickAt(timeMs: number, flow: NonNullable<Moment['flow']> = {}): Moment {
  return { entry: { kind: 'tick', timeMs, payload: null }, flow };
}

export function firedAt(timeMs: number, alert: ReturnType<typeof alertOf>, signalId = 's1'): Moment {
  return {
    entry: { kind: 'alerts', timeMs, payload: [alert] },
    flow: {
      alertChanges: [{ change: 'fired', alert, index: 0 }],
      sightings: [{ fingerprint: alert.fingerprint, signalId, how: 'similar', similarity: 0.5 }],
    },
  };
}

export function alertMoment(timeMs: number, alertname: string, isFirst: boolean): Moment {
  const moment = firedAt(timeMs, alertOf({ alertname }));
  const [change] = moment.flow?.alertChanges ?? [];
  if (isFirst || !change) return moment;
  return { ...moment, flow: { ...moment.flow, alertChanges: [{ ...change, change: 'repeated' }] } };
}

const reasons = [{ stage: 'dedup' as const, code: 'similar_text', text: 'similar text 0.83', weight: 0.83 }];

/** One alert's whole way. */
export function story(fingerprint: string): Moment[] {
  const alert = alertOf(
    { alertname: 'Explained', service: 'db', severity: 'critical' },
    { fingerprint, domain: 'story' },
  );
  const first = signalOf('story-s1', { domain: 'story' });
  const second = signalOf('story-s2', { domain: 'story', firstAtMs: first.firstAtMs + 1 });
  const candidate = candidateOf('story-i1', [first.id, second.id], { domain: 'story' });
  const incident = incidentOf('story-i1', { domain: 'story', openedAtMs: startMs });
  const page = pageOf('story-p1', { incidentId: 'story-i1', fingerprints: [fingerprint] });
  const fired = firedAt(startMs, alert, first.id);
  return [
    {
      ...fired,
      flow: {
        ...fired.flow,
        verdictChanges: [
          { fingerprint, verdict: { muted: true, silencedBy: ['silence-1'], inhibitedBy: ['f2'] } },
        ],
        signalChanges: [
          { change: 'opened', signal: first, reasons },
          { change: 'opened', signal: second, reasons: [] },
        ],
        scores: [{ signalId: first.id, surprise: 0.9, state: 'scored', reasons }],
        candidateChanges: [
          {
            change: 'opened',
            candidate,
            links: [{ fromSignalId: first.id, toSignalId: second.id, weight: 2.5, reasons }],
          },
        ],
        incidents: [incident],
        pages: [page],
      },
      effects: [notifyOf('story-p1', { incident })],
    },
    {
      entry: {
        kind: 'fact',
        timeMs: startMs + 1_000,
        payload: { effectId: 'story-p1', kind: 'notify', outcome: { status: 'done', result: null } },
      },
      flow: { incidents: [{ ...incident, revision: 2, state: 'acknowledged', acknowledgedBy: 'ann' }] },
    },
  ];
}

/** Fills every table, and every column with something that is not its default. */
export const everyTable: Moment[] = [
  ...story('00000000000000ee'),
  {
    entry: { kind: 'config', timeMs: startMs + 2_000, payload: { services: [] } },
  },
  alertMoment(startMs + 3_000, 'Everything', true),
  alertMoment(startMs + 4_000, 'Everything', false),
  tickAt(startMs + 20 * minuteMs, {
    incidents: [
      incidentOf('every-i1', {
        revision: 3,
        state: 'resolved',
        resolvedAtMs: startMs + 1,
        acknowledgedBy: 'ann',
        acknowledgedAtMs: startMs,
        mergedInto: 'other',
        surprise: 0.25,
        historyMissing: true,
        reasons: [{ stage: 'triage', code: 'service_tier', text: 'tier 1' }],
        probableCauses: [
          { signalId: 's1', labels: labelsOf({ a: 'b' }), text: 'disk', score: 0.5, reasons: [] },
        ],
        similar: [
          {
            incidentId: 'old',
            title: 'Old',
            similarity: 0.5,
            openedAtMs: 1,
            resolvedAtMs: null,
            priority: 'P1',
            shared: [],
          },
        ],
      }),
    ],
  }),
  {
    entry: {
      kind: 'fact',
      timeMs: startMs + 21 * minuteMs,
      payload: {
        effectId: 'gone',
        kind: 'notify',
        outcome: { status: 'failed', code: 'TOC_NOTIFY_REFUSED', message: '404' },
      },
    },
  },
  tickAt(startMs + 22 * minuteMs, {
    stormChanges: [{ change: 'ended', storm: stormOf('STORM-1', startMs + 22 * minuteMs) }],
    covers: [
      {
        incidentId: 'every-i1',
        rootId: 'every-i2',
        stormId: 'STORM-1',
        sameAs: [],
        reason: { stage: 'calm', code: 'storm_cover', text: 'shop depends on db' },
      },
    ],
  }),
];
