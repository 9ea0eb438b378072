import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { HistoryRow } from '../../src/engine/index.ts';
import { historyConfig } from '../../src/history/index.ts';
import type { AlertChange, Flow, Sighting, SignalChange, SignalScore } from '../../src/incident/index.ts';
import {
  alertOf,
  candidateOf,
  incidentOf,
  notifyOf,
  pageOf,
  rowsOf,
  rowsUnderCuts,
  signalOf,
  stormOf,
  type Moment,
} from './scene.ts';

const startMs = Date.UTC(2024, 0, 1, 12);

function alertsAt(
  timeMs: number,
  changes: readonly (readonly [AlertChange['change'], string])[],
  signalId = 's1',
): Moment {
  const alertChanges = changes.map(([change, name], index) => ({
    change,
    alert: alertOf({ alertname: name, service: 'db' }),
    index: change === 'expired' ? -1 : index,
  }));
  const sightings = alertChanges.map(({ change, alert }): Sighting => ({
    fingerprint: alert.fingerprint,
    signalId: change === 'ignored' ? null : signalId,
    how: change === 'ignored' ? 'ignored' : 'exact',
    similarity: change === 'ignored' ? 0 : 1,
  }));
  return { entry: { kind: 'alerts', timeMs, payload: [] }, flow: { alertChanges, sightings } };
}

function tickAt(timeMs: number, flow: Partial<Flow> = {}): Moment {
  return { entry: { kind: 'tick', timeMs, payload: null }, flow };
}

function configAt(timeMs: number, repeatIntervalMs: number): Moment {
  const history = { ...historyConfig.parse({}), repeat_interval: repeatIntervalMs };
  return { entry: { kind: 'config', timeMs, payload: { history } } };
}

function table(rows: readonly HistoryRow[], name: string): Record<string, unknown>[] {
  return rows.filter((row) => row.table === name).map(({ row }) => row);
}

function reportCount(rows: readonly HistoryRow[]): number {
  return table(rows, 'alerts').reduce((sum, row) => sum + Number(row['count']), 0);
}

describe('alerts', () => {
  test('each change of an alert is a row at once, an expiry counts no report', async () => {
    const rows = await rowsOf([
      alertsAt(startMs, [['fired', 'A']]),
      alertsAt(startMs + 1, [['updated', 'A']]),
      alertsAt(startMs + 2, [['resolved', 'A']]),
      alertsAt(startMs + 3, [['expired', 'B']]),
    ]);
    expect(table(rows, 'alerts').map((row) => [row['change'], row['count'], row['signal_id']])).toEqual([
      ['fired', 1, 's1'],
      ['updated', 1, 's1'],
      ['resolved', 1, 's1'],
      ['expired', 0, 's1'],
    ]);
  });

  test('repeats become one row an interval with their count and times', async () => {
    const repeats = Array.from({ length: 120 }, (_, i) => alertsAt(startMs + i * 1000, [['repeated', 'A']]));
    const rows = await rowsOf([configAt(startMs, 60_000), ...repeats, tickAt(startMs + 300_000)]);
    const counted = table(rows, 'alerts');
    expect(counted.length).toBeGreaterThanOrEqual(2);
    expect(counted.length).toBeLessThanOrEqual(3);
    expect(reportCount(rows)).toBe(120);
    expect(counted[0]).toMatchObject({
      change: 'repeated',
      first_at: '2024-01-01 12:00:00.000',
      service: 'db',
    });
    expect(counted.at(-1)).toMatchObject({ last_at: '2024-01-01 12:01:59.000' });
  });

  test('a thousand alerts that repeat at once are written over the whole interval', async () => {
    const names = Array.from({ length: 1_000 }, (_, i) => ['repeated', `A${i}`] as const);
    const ticks = Array.from({ length: 60 }, (_, i) => tickAt(startMs + (i + 1) * 1_000));
    const rows = await rowsOf([configAt(startMs, 60_000), alertsAt(startMs, names), ...ticks]);
    const perSecond = Map.groupBy(table(rows, 'alerts'), (row) => String(row['at']).slice(0, 19));
    expect(perSecond.size).toBeGreaterThanOrEqual(60);
    for (const written of perSecond.values()) expect(written.length).toBeLessThan(50);
    expect(reportCount(rows)).toBe(1_000);
  });

  test('repeats of an alert that moved to another signal are not mixed', async () => {
    const rows = await rowsOf([
      alertsAt(startMs, [['repeated', 'A']], 's1'),
      alertsAt(startMs + 1, [['repeated', 'A']], 's2'),
      tickAt(startMs + 300_000),
    ]);
    expect(table(rows, 'alerts').map((row) => [row['signal_id'], row['count']])).toEqual([
      ['s1', 1],
      ['s2', 1],
    ]);
  });

  test('what mutes an alert is told, and when it does no longer; of one that never was muted nothing is', async () => {
    const silenced = { muted: true, silencedBy: ['silence-1'], inhibitedBy: [] } as const;
    const rows = await rowsOf([
      tickAt(startMs, {
        verdictChanges: [
          { fingerprint: 'f1', verdict: silenced },
          { fingerprint: 'f2', verdict: { muted: false } },
        ],
      }),
      tickAt(startMs + 1, { verdictChanges: [{ fingerprint: 'f1', verdict: { muted: false } }] }),
      tickAt(startMs + 2, { verdictChanges: [{ fingerprint: 'f1', verdict: { muted: false } }] }),
    ]);
    expect(table(rows, 'verdicts')).toMatchObject([
      { fingerprint: 'f1', is_muted: true, silenced_by: ['silence-1'], inhibited_by: [] },
      { fingerprint: 'f1', is_muted: false, silenced_by: [], inhibited_by: [] },
    ]);
  });

  test('the count of rows adds up to the number of reports after an interval of silence', async () => {
    await fc.assert(
      fc.asyncProperty(alertLog, async (moments) => {
        const lastMs = moments.at(-1)?.entry.timeMs ?? startMs;
        const rows = await rowsOf([...moments, tickAt(lastMs + 300_000)]);
        const reports = moments
          .flatMap(({ flow }) => flow?.alertChanges ?? [])
          .filter(({ index }) => index >= 0);
        expect(reportCount(rows)).toBe(reports.length);
      }),
      { numRuns: 60 },
    );
  });
});

describe('signals and incidents', () => {
  const opened: SignalChange = { change: 'opened', signal: signalOf('s1'), reasons: [] };
  const score: SignalScore = { signalId: 's1', surprise: 0.9, state: 'scored', reasons: [] };

  test('a signal row carries the surprise of its moment, and a later score is a row of its own', async () => {
    const rows = await rowsOf([
      tickAt(startMs, { signalChanges: [opened], scores: [score] }),
      tickAt(startMs + 1, { scores: [{ ...score, surprise: 0.4 }] }),
    ]);
    expect(table(rows, 'signals').map((row) => [row['change'], row['surprise']])).toEqual([
      ['opened', 0.9],
      ['scored', 0.4],
    ]);
  });

  test('a signal joins its incident once, however often the candidate changes', async () => {
    const second: SignalChange = { change: 'opened', signal: signalOf('s2'), reasons: [] };
    const rows = await rowsOf([
      tickAt(startMs, {
        signalChanges: [opened],
        candidateChanges: [{ change: 'opened', candidate: candidateOf('i1', ['s1']), links: [] }],
      }),
      tickAt(startMs + 1, {
        signalChanges: [second],
        candidateChanges: [{ change: 'joined', candidate: candidateOf('i1', ['s1', 's2']), links: [] }],
      }),
      tickAt(startMs + 2, {
        candidateChanges: [{ change: 'updated', candidate: candidateOf('i1', ['s1', 's2']), links: [] }],
      }),
    ]);
    expect(table(rows, 'memberships').map((row) => [row['signal_id'], row['change']])).toEqual([
      ['s1', 'joined'],
      ['s2', 'joined'],
    ]);
  });

  test('an incident can be found by its texts from when it is urgent enough on', async () => {
    const second: SignalChange = { change: 'opened', signal: signalOf('s2'), reasons: [] };
    const moments = [
      tickAt(startMs, {
        signalChanges: [opened],
        candidateChanges: [{ change: 'opened', candidate: candidateOf('i1', ['s1']), links: [] }],
        incidents: [incidentOf('i1', { priority: 'P4' })],
      }),
      tickAt(startMs + 1, { incidents: [incidentOf('i1', { priority: 'P3' })] }),
      tickAt(startMs + 2, {
        signalChanges: [second],
        candidateChanges: [{ change: 'joined', candidate: candidateOf('i1', ['s1', 's2']), links: [] }],
        incidents: [incidentOf('i1', { priority: 'P4' })],
      }),
    ];
    expect(table(await rowsOf(moments.slice(0, 1)), 'incident_sketches')).toEqual([]);
    const sketches = table(await rowsOf(moments), 'incident_sketches');
    expect(sketches.map((row) => row['signal_id'])).toEqual(['s1', 's2']);
    expect(sketches.flatMap((row) => row['bands'])).toHaveLength(64);
  });

  test('a split moves a signal, a merge moves all', async () => {
    const rows = await rowsOf([
      tickAt(startMs, {
        candidateChanges: [{ change: 'opened', candidate: candidateOf('i1', ['s1', 's2', 's3']), links: [] }],
      }),
      tickAt(startMs + 1, {
        candidateChanges: [
          { change: 'split', candidate: candidateOf('i1', ['s1', 's3']), links: [] },
          { change: 'opened', candidate: candidateOf('i2', ['s2']), links: [] },
        ],
      }),
      tickAt(startMs + 2, {
        candidateChanges: [
          { change: 'merged', candidate: candidateOf('i2', ['s2'], { state: 'merged' }), links: [] },
          { change: 'joined', candidate: candidateOf('i1', ['s1', 's3', 's2']), links: [] },
        ],
      }),
    ]);
    const moves = table(rows, 'memberships').slice(3);
    expect(moves.map((row) => [row['incident_id'], row['signal_id'], row['change']])).toEqual([
      ['i1', 's2', 'left'],
      ['i2', 's2', 'joined'],
      ['i2', 's2', 'left'],
      ['i1', 's2', 'joined'],
    ]);
  });
});

test('a delivery knows its page and how long it took', async () => {
  const rows = await rowsOf([
    { ...tickAt(startMs, { pages: [pageOf('p1')] }), effects: [notifyOf('p1')] },
    {
      entry: {
        kind: 'fact',
        timeMs: startMs + 250,
        payload: {
          effectId: 'p1',
          kind: 'notify',
          outcome: { status: 'failed', code: 'TOC_NOTIFY_REFUSED', message: '404' },
        },
      },
    },
  ]);
  expect(table(rows, 'pages')).toMatchObject([{ page_id: 'p1', domain: 'shop' }]);
  expect(table(rows, 'deliveries')).toMatchObject([
    {
      page_id: 'p1',
      receiver: 'web',
      domain: 'shop',
      status: 'failed',
      code: 'TOC_NOTIFY_REFUSED',
      latency_ms: 250,
    },
  ]);
  expect(table(rows, 'audit')).toMatchObject([{ kind: 'effect', action: 'notify', subject: 'p1' }]);
});

describe('invariants', () => {
  test('batch cuts do not matter', async () => {
    await fc.assert(
      fc.asyncProperty(mixedLog, fc.array(fc.nat(60)), async (moments, cuts) => {
        expect(await rowsUnderCuts(moments, cuts)).toEqual(await rowsOf(moments));
      }),
      { numRuns: 60 },
    );
  });

  test('crash anywhere and replay gives the same rows with the same ids', async () => {
    await fc.assert(
      fc.asyncProperty(mixedLog, fc.array(fc.nat(60), { minLength: 1 }), async (moments, cuts) => {
        expect(await rowsUnderCuts(moments, cuts, cuts)).toEqual(await rowsOf(moments));
      }),
      { numRuns: 60 },
    );
  });

  test('no two rows have the same id', async () => {
    await fc.assert(
      fc.asyncProperty(mixedLog, async (moments) => {
        const ids = (await rowsOf(moments)).map(({ id }) => id);
        expect(new Set(ids).size).toBe(ids.length);
      }),
      { numRuns: 30 },
    );
  });
});

const changeArbitrary = fc.tuple(
  fc.constantFrom<AlertChange['change']>(
    'fired',
    'repeated',
    'repeated',
    'repeated',
    'updated',
    'resolved',
    'ignored',
    'expired',
  ),
  fc.constantFrom('A', 'B', 'C', 'D'),
);

const alertMoment = fc.record({
  stepMs: fc.nat(40_000),
  changes: fc.array(changeArbitrary, { maxLength: 5 }),
  signalId: fc.constantFrom('s1', 's2'),
});

const alertLog = fc.array(alertMoment, { minLength: 1, maxLength: 40 }).map((steps) => {
  let timeMs = startMs;
  return steps.map(({ stepMs, changes, signalId }) => alertsAt((timeMs += stepMs), changes, signalId));
});

const signalIds = ['s1', 's2', 's3'];

const otherMoment = fc.oneof(
  fc
    .record({
      signal: fc.constantFrom(...signalIds),
      state: fc.constantFrom('firing' as const, 'resolved' as const),
      surprise: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
    })
    .map(({ signal, state, surprise }) => ({
      flow: {
        signalChanges: [{ change: 'opened' as const, signal: signalOf(signal, { state }), reasons: [] }],
        scores:
          surprise === null ? [] : [{ signalId: signal, surprise, state: 'scored' as const, reasons: [] }],
      },
    })),
  fc
    .record({
      id: fc.constantFrom('i1', 'i2'),
      members: fc.subarray(signalIds),
      state: fc.constantFrom('open' as const, 'resolved' as const, 'merged' as const),
    })
    .map(({ id, members, state }) => ({
      flow: {
        candidateChanges: [
          { change: 'updated' as const, candidate: candidateOf(id, members, { state }), links: [] },
        ],
        incidents: [incidentOf(id)],
      },
    })),
  fc.constantFrom('p1', 'p2').map((id) => ({ flow: { pages: [pageOf(id)] }, effects: [notifyOf(id)] })),
  fc.constantFrom('p1', 'p2').map((effectId) => ({
    entry: {
      kind: 'fact' as const,
      payload: {
        effectId,
        kind: 'notify',
        outcome: { status: 'failed' as const, code: 'TOC_NOTIFY_REFUSED', message: 'no' },
      },
    },
  })),
  fc.string({ unit: 'binary' }).map((comment) => ({
    entry: {
      kind: 'command' as const,
      payload: {
        id: 'c1',
        kind: 'incident.acknowledge' as const,
        by: 'ann',
        body: { incidentId: 'i1', comment },
      },
    },
    flow: { answer: { status: 'done' as const, result: {} } },
  })),
  fc.constant({ entry: { kind: 'config' as const, payload: { services: [{ name: 'db' }] } } }),
);

const mixedLog = fc
  .array(fc.tuple(fc.nat(60_000), fc.oneof(alertMoment, otherMoment)), { minLength: 1, maxLength: 50 })
  .map((steps) => {
    let timeMs = startMs;
    return steps.map(([stepMs, what]): Moment => {
      timeMs += stepMs;
      if ('changes' in what) return alertsAt(timeMs, what.changes, what.signalId);
      const tick = tickAt(timeMs);
      return 'entry' in what ? { ...what, entry: { ...what.entry, timeMs } } : { ...tick, ...what };
    });
  });

test('a storm is a row when it begins and one when it is over, and so is each incident for which another one stands', async () => {
  const storm = stormOf('STORM-1', startMs);
  const reason = { stage: 'calm', code: 'storm_cover', text: 'shop depends on db' } as const;
  const cover = { incidentId: 'INC-2', stormId: storm.id, sameAs: [], reason };
  const rows = await rowsOf([
    tickAt(startMs - 900_000, {
      stormChanges: [{ change: 'began', storm: { ...storm, state: 'on', endedAtMs: null, usual: null } }],
      covers: [{ ...cover, rootId: 'INC-1' }],
    }),
    tickAt(startMs - 60_000, { stormChanges: [{ change: 'went_on', storm }] }),
    tickAt(startMs, {
      stormChanges: [{ change: 'ended', storm }],
      covers: [{ ...cover, rootId: null }],
    }),
  ]);
  expect(table(rows, 'storms')).toMatchObject([
    { change: 'began', ended_at: null, usual_mean: null, storm_id: 'STORM-1' },
    {
      change: 'ended',
      started_at: '2024-01-01 11:45:00.000',
      ended_at: '2024-01-01 12:00:00.000',
      usual_mean: 1.25,
      signal_count: 170,
      families: [{ kind: 'Errors', root_id: 'INC-1', signal_count: 169, text: 'Errors on shop' }],
      other_count: 1,
    },
  ]);
  expect(table(rows, 'covers').map(({ incident_id, root_id }) => [incident_id, root_id])).toEqual([
    ['INC-2', 'INC-1'],
    ['INC-2', ''],
  ]);
});
