import { describe, expect, test } from 'vitest';
import { verifyAudit, type AuditRow } from '../../src/history/index.ts';
import type { Command } from '../../src/incident/index.ts';
import { rowsOf, type Moment } from './scene.ts';

const acknowledge: Command = {
  id: 'c1',
  kind: 'incident.acknowledge',
  by: 'ann',
  body: { incidentId: 'i1', comment: 'on it \ud800 \u0000' },
};

function commandAt(timeMs: number, command: Command, answer: NonNullable<Moment['flow']>['answer']): Moment {
  return { entry: { kind: 'command', timeMs, payload: command }, flow: { answer: answer ?? null } };
}

async function auditOf(moments: readonly Moment[]): Promise<AuditRow[]> {
  const rows = await rowsOf(moments);
  return rows
    .filter(({ table }) => table === 'audit')
    .map(({ id, row }) => ({ row_id: id, ...row }) as unknown as AuditRow);
}

const trail: readonly Moment[] = [
  { entry: { kind: 'config', timeMs: 1_000, payload: { b: 1, a: { d: 2, c: 3 } } } },
  commandAt(2_000, acknowledge, { status: 'done', result: {} }),
  commandAt(
    3_000,
    { ...acknowledge, id: 'c2' },
    { status: 'refused', code: 'not_found', message: 'no incident i1' },
  ),
  commandAt(4_000, { ...acknowledge, id: 'c3' }, null),
  {
    entry: {
      kind: 'fact',
      timeMs: 5_000,
      payload: {
        effectId: 'e1',
        kind: 'http-step',
        outcome: { status: 'failed', code: 'TOC_RUNBOOK_TIMEOUT', message: 'no answer' },
      },
    },
  },
  {
    entry: {
      kind: 'fact',
      timeMs: 6_000,
      payload: { effectId: 'e2', kind: 'http-step', outcome: { status: 'done', result: {} } },
    },
  },
];

describe('audit', () => {
  test('holds each command with its answer, each configuration and each failed effect', async () => {
    const rows = await auditOf(trail);
    expect(
      rows.map(({ kind, action, subject, outcome, code }) => [kind, action, subject, outcome, code]),
    ).toEqual([
      ['config', 'activate', expect.stringMatching(/^[0-9a-f]{64}$/), 'done', ''],
      ['command', 'incident.acknowledge', 'c1', 'done', ''],
      ['command', 'incident.acknowledge', 'c2', 'refused', 'not_found'],
      ['command', 'incident.acknowledge', 'c3', 'unanswered', ''],
      ['effect', 'http-step', 'e1', 'failed', 'TOC_RUNBOOK_TIMEOUT'],
    ]);
    expect(JSON.parse(rows[1]?.body ?? '')).toEqual({ incidentId: 'i1', comment: 'on it \ud800 \u0000' });
  });

  test('the hash of a configuration does not depend on the order of its keys', async () => {
    const [first] = await auditOf(trail);
    const [second] = await auditOf([
      { entry: { kind: 'config', timeMs: 1_000, payload: { a: { c: 3, d: 2 }, b: 1 } } },
    ]);
    expect(second?.subject).toBe(first?.subject);
  });

  test('an untouched trail is intact, also from its middle on', async () => {
    const rows = await auditOf(trail);
    expect(verifyAudit(rows)).toEqual({ intact: true, rowCount: 5, lastHash: rows[4]?.hash });
    expect(verifyAudit(rows.slice(2), rows[1]?.hash)).toMatchObject({ intact: true, rowCount: 3 });
    expect(verifyAudit([])).toMatchObject({ intact: true, rowCount: 0 });
  });

  test('a change of any field is found', async () => {
    const rows = await auditOf(trail);
    for (const field of Object.keys(rows[2] ?? {}) as (keyof AuditRow)[]) {
      const value = rows[2]?.[field];
      const changed = rows.with(2, {
        ...rows[2]!,
        [field]: typeof value === 'number' ? value + 1 : `${value}x`,
      });
      expect(verifyAudit(changed), field).toMatchObject({ intact: false, rowId: changed[2]?.row_id });
    }
  });

  test('a row taken out, put in or moved is found', async () => {
    const rows = await auditOf(trail);
    expect(verifyAudit(rows.toSpliced(2, 1))).toMatchObject({ intact: false, problem: 'row_missing' });
    expect(verifyAudit(rows.toSpliced(2, 0, rows[1]!))).toMatchObject({ intact: false });
    expect(verifyAudit([rows[1]!, rows[0]!])).toMatchObject({ intact: false });
  });

  test('a row that was hashed anew does not fit the one after it', async () => {
    const rows = await auditOf(trail);
    const forged = await auditOf([
      ...trail.slice(0, 1),
      commandAt(2_000, { ...acknowledge, by: 'bob' }, null),
    ]);
    expect(verifyAudit(rows.with(1, forged[1]!))).toMatchObject({
      intact: false,
      rowId: rows[2]?.row_id,
      problem: 'chain_broken',
    });
  });
});
