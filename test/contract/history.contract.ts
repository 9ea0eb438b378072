import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { labelsOf } from '../../src/alert/index.ts';
import type { HistoryRow } from '../../src/engine/index.ts';
import {
  createRecall,
  HistoryReader,
  HistoryWriter,
  verifyAudit,
  type HistoryDatabase,
} from '../../src/history/index.ts';
import { loadMigrations, migrate } from '../../src/history/migrations.ts';
import type { RecallEffect, RecallResult } from '../../src/incident/index.ts';
import { alertOf, rowsOf, signatureOf, similarTo, type Moment } from '../history/scene.ts';
import {
  alertMoment,
  everyTable,
  firedAt,
  minuteMs,
  pastIncident,
  startMs,
  story,
  tickAt,
} from './history-scenes.ts';

/** What every adapter of the history keeps. `open` gives a database on the same data each time. */
export function describeHistory(name: string, open: () => Promise<HistoryDatabase>): void {
  describe(`history: ${name}`, () => {
    let database: HistoryDatabase;
    let reader: HistoryReader;

    beforeAll(async () => {
      database = await open();
      reader = new HistoryReader(database);
    });

    afterAll(() => database.close());

    async function write(rows: readonly HistoryRow[]): Promise<void> {
      const writer = new HistoryWriter(database, {
        partition: '0',
        flushIntervalMs: 10,
        maxBatchRows: 5_000,
        maxBufferedRows: 1_000_000,
        maxBufferedBytes: 1_000_000_000,
        onDropped: (count, reason, error) => {
          throw new Error(`${count} rows dropped: ${reason}`, { cause: error });
        },
      });
      writer.write(rows);
      await writer.flushed();
    }

    async function countOf(table: string, fingerprint: string): Promise<number> {
      const [row] = await database.query<{ count: number }>(
        `SELECT count() AS count FROM ${table} FINAL WHERE fingerprint = {fingerprint:String}`,
        { fingerprint },
      );
      return row?.count ?? 0;
    }

    describe('schema', () => {
      test('a second opening finds nothing to do', async () => {
        expect(await migrate(database)).toBe(0);
        const [row] = await database.query<{ count: number }>(
          'SELECT count() AS count FROM schema_migrations',
        );
        expect(row?.count).toBe(loadMigrations().length);
      });

      test('a migration that was changed after it was applied is refused', async () => {
        const changed = loadMigrations().map((step) =>
          step.version === 2 ? { ...step, checksum: 'other' } : step,
        );
        await expect(migrate(database, { migrations: changed })).rejects.toMatchObject({
          code: 'TOC_HISTORY_MIGRATION_CHANGED',
        });
      });

      test('a history that is ahead of this version is refused', async () => {
        await expect(migrate(database, { migrations: loadMigrations().slice(0, 1) })).rejects.toMatchObject({
          code: 'TOC_HISTORY_MIGRATION_UNKNOWN',
          retryable: false,
        });
      });

      test('a wrong statement and a refused row are told apart from a history that is away', async () => {
        await expect(database.query('SELECT nothing FROM nowhere')).rejects.toMatchObject({
          code: 'TOC_HISTORY_QUERY_FAILED',
        });
        await expect(database.insert('alerts', ['{"at":"yesterday"}'])).rejects.toMatchObject({
          code: 'TOC_HISTORY_ROW_REFUSED',
        });
      });
    });

    describe('rows', () => {
      test('every column of every table comes back as it was written', async () => {
        const rows = await rowsOf(everyTable);
        await write(rows);
        const tables = await database.query<{ name: string }>(
          "SELECT name FROM system.tables WHERE database = currentDatabase() AND name != 'schema_migrations'",
        );
        // The database makes the bands itself, from the signatures.
        const made = ['sketch_bands', 'sketch_bands_of_sketches'];
        expect(new Set([...rows.map(({ table }) => table), ...made])).toEqual(
          new Set(tables.map(({ name }) => name)),
        );
        for (const { table, id, row } of rows) {
          const found = await database.query(`SELECT * FROM ${table} FINAL WHERE row_id = {id:String}`, {
            id,
          });
          expect(found, `${table} ${id}`).toHaveLength(1);
          expect(found[0], `${table} ${id}`).toMatchObject({ ...row, partition: '0' });
        }
      });

      test('writing again after a replay adds nothing', async () => {
        const log = Array.from({ length: 40 }, (_, i) =>
          alertMoment(startMs + i * 5_000, 'Replayed', i === 0),
        );
        const rows = await rowsOf([...log, tickAt(startMs + 20 * minuteMs)]);
        const { fingerprint } = alertOf({ alertname: 'Replayed' });
        await write(rows);
        const before = await countOf('alerts', fingerprint);
        await write(rows);
        await write(rows.slice(3));
        expect(await countOf('alerts', fingerprint)).toBe(before);
        const { alerts } = await reader.alert(fingerprint, { limit: 1_000 });
        expect(alerts.reduce((sum, { count }) => sum + count, 0)).toBe(40);
      });

      test('two partitions with the same positions do not take each other’s rows', async () => {
        const row = {
          table: 'verdicts',
          id: '1/0',
          row: { position: 1, fingerprint: 'twice', at: '2024-01-01 00:00:00.000' },
        };
        for (const partition of ['0', '1']) {
          await database.insert('verdicts', [JSON.stringify({ row_id: row.id, partition, ...row.row })]);
        }
        expect(await countOf('verdicts', 'twice')).toBe(2);
      });

      test('any text comes back, whatever characters it holds', async () => {
        const labels = {
          alertname: 'Text',
          ['__proto__']: 'kept',
          ключ: '数据库 😀 \u0000 \u001f \u2028',
          'quote"\'`\\': "'; DROP TABLE alerts; --\n\t",
        };
        const summary = `${'x'.repeat(1_000_000)} end`;
        const alert = alertOf(labels, { annotations: labelsOf({ summary, lone: 'a\ud800b' }) });
        await write(await rowsOf([firedAt(startMs, alert)]));
        const found = await reader.alert(alert.fingerprint);
        expect(new Map(Object.entries(found.alerts[0]?.labels ?? {}))).toEqual(
          new Map(Object.entries(labels)),
        );
        expect(found.alerts[0]?.annotations['summary']).toBe(summary);
        expect(found.alerts[0]?.annotations['lone']).toBe('a\ufffdb');
      });

      test('times at the ends of the calendar are kept as far as the type holds them', async () => {
        const alert = alertOf(
          { alertname: 'Ends' },
          { startsAtMs: Date.UTC(0, 0, 1), endsAtMs: Date.UTC(9999, 11, 31) },
        );
        await write(await rowsOf([firedAt(startMs + 0.7, alert)]));
        const { alerts } = await reader.alert(alert.fingerprint);
        expect(alerts[0]).toMatchObject({
          atMs: startMs,
          startsAtMs: Date.UTC(1900, 0, 1),
          endsAtMs: Date.UTC(2299, 11, 31, 23, 59, 59, 999),
        });
      });
    });

    describe('reading', () => {
      test('an alert is told with its signal, its incident and its pages', async () => {
        const alert = alertOf({ alertname: 'Explained', service: 'db' });
        await write(await rowsOf(story(alert.fingerprint)));
        const past = await reader.alert(alert.fingerprint);
        expect(past.alerts).toMatchObject([{ change: 'fired', signalId: 'story-s1', severity: 'critical' }]);
        expect(past.verdicts).toMatchObject([
          { isMuted: true, silencedBy: ['silence-1'], inhibitedBy: ['f2'] },
        ]);
        expect(past.signals).toMatchObject([{ signalId: 'story-s1', surprise: 0.9 }]);
        expect(past.incidents).toMatchObject([
          { incidentId: 'story-i1', revision: 2, state: 'acknowledged' },
        ]);
        expect(past.pages).toMatchObject([{ pageId: 'story-p1', receiver: 'web' }]);
        expect(past.deliveries).toMatchObject([{ pageId: 'story-p1', status: 'done', latencyMs: 1_000 }]);
      });

      test('what each kind did in each period is counted, with reports that resolve apart', async () => {
        const alert = alertOf({ alertname: 'Active', service: 'db' });
        const atMs = startMs + 1000 * minuteMs;
        const moment = (offsetMs: number, change: 'fired' | 'updated' | 'resolved'): Moment => ({
          entry: { kind: 'alerts', timeMs: atMs + offsetMs, payload: [alert] },
          flow: {
            alertChanges: [{ change, alert, index: 0 }],
            sightings: [
              { fingerprint: alert.fingerprint, signalId: 'active-s', how: 'exact', similarity: 1 },
            ],
          },
        });
        await write(
          await rowsOf([
            moment(1000, 'fired'),
            moment(3000, 'updated'),
            moment(4000, 'resolved'),
            moment(6 * minuteMs, 'fired'),
          ]),
        );
        const period = atMs / (5 * minuteMs);
        const activity = await reader.activity(atMs, 5 * minuteMs);
        expect(activity.filter(({ name }) => name === 'Active')).toEqual([
          {
            period,
            domain: alert.domain,
            service: 'db',
            name: 'Active',
            firstMs: atMs + 1000,
            lastMs: atMs + 4000,
            reports: 2,
            fired: 1,
            resolved: 1,
          },
          expect.objectContaining({ period: period + 1, reports: 1, fired: 1, resolved: 0 }),
        ]);
      });

      test('an incident is told with all revisions, its signals and links', async () => {
        const past = await reader.incident('story-i1');
        expect(past.revisions.map(({ revision, state }) => [revision, state])).toEqual([
          [1, 'open'],
          [2, 'acknowledged'],
        ]);
        expect(past.signals.map(({ signalId }) => signalId)).toEqual(['story-s1', 'story-s2']);
        expect(past.links).toMatchObject([{ fromSignalId: 'story-s1', toSignalId: 'story-s2', weight: 2.5 }]);
        expect(past.pages).toHaveLength(1);
        expect(past.deliveries).toHaveLength(1);
      });

      test('incidents are found by each filter', async () => {
        const open = { fromMs: startMs, toMs: startMs + minuteMs };
        const idsOf = async (filter: Parameters<HistoryReader['incidents']>[0]): Promise<string[]> =>
          (await reader.incidents({ ...open, domain: 'story', ...filter })).map(
            ({ incidentId }) => incidentId,
          );
        expect(await idsOf({})).toEqual(['story-i1']);
        expect(
          await idsOf({ state: 'acknowledged', priority: 'P1', category: 'capacity', service: 'db' }),
        ).toEqual(['story-i1']);
        expect(await idsOf({ title: 'DISK full' })).toEqual(['story-i1']);
        for (const filter of [
          { state: 'open' },
          { priority: 'P2' },
          { category: 'network' },
          { service: 'web' },
          { title: "'" },
          { domain: 'other' },
          { toMs: startMs - minuteMs },
        ] as const) {
          expect(await idsOf(filter), JSON.stringify(filter)).toEqual([]);
        }
      });

      test('the audit trail comes back intact, and a forged row is found', async () => {
        const comment = 'x\ud800 \u0000 ключ "\\';
        const moments: Moment[] = Array.from({ length: 150 }, (_, i) => ({
          entry: {
            kind: 'command',
            timeMs: startMs + i,
            payload: {
              id: `c${i}`,
              kind: 'incident.acknowledge',
              by: 'ann\ud800',
              body: { incidentId: 'i1', comment },
            },
          },
          flow: { answer: { status: 'refused', code: 'not_found', message: comment } },
        }));
        const rows = await rowsOf(moments);
        await database.insert(
          'audit',
          rows.map(({ id, row }) => JSON.stringify({ row_id: id, partition: 'audited', ...row })),
        );
        const first = await reader.audit({ partition: 'audited' });
        const rest = await reader.audit({ partition: 'audited', afterSequence: 100, limit: 1_000 });
        expect(first).toHaveLength(100);
        expect(verifyAudit([...first, ...rest])).toMatchObject({ intact: true, rowCount: 150 });
        await database.insert('audit', [JSON.stringify({ ...rest[3], actor: 'bob', partition: 'audited' })]);
        const forged = await reader.audit({ partition: 'audited', limit: 1_000 });
        expect(verifyAudit(forged)).toEqual({
          intact: false,
          rowId: rest[3]?.row_id,
          problem: 'content_changed',
        });
      });
    });

    test('every query of the handbook runs', async () => {
      const handbook = readFileSync(join(import.meta.dirname, '../../docs/history.md'), 'utf8');
      const statements = [...handbook.matchAll(/```sql\n(.*?)```/gs)].map(([, statement]) => statement ?? '');
      expect(statements.length).toBeGreaterThan(5);
      for (const statement of statements) await database.query(statement);
    });

    test('the handbook names every table', async () => {
      const handbook = readFileSync(join(import.meta.dirname, '../../docs/history.md'), 'utf8');
      const tables = await database.query<{ name: string }>(
        'SELECT name FROM system.tables WHERE database = currentDatabase()',
      );
      for (const { name } of tables) expect(handbook).toContain(`\`${name}\``);
    });

    describe('recall', () => {
      const asking = signatureOf('asking');
      beforeAll(async () => {
        const noise = Array.from({ length: 60 }, (_, i) =>
          pastIncident(`noise-${i}`, signatureOf(`noise ${i}`)),
        );
        const planted = [
          pastIncident('twin', similarTo(asking, 0.95, 'a'), { openedAtMs: startMs - 30 * minuteMs }),
          pastIncident('cousin', similarTo(asking, 0.6, 'b'), { services: ['web'] }),
          pastIncident('asking', asking, { openedAtMs: startMs + 5 * minuteMs }),
          pastIncident('later', asking, { openedAtMs: startMs + 6 * minuteMs }),
          pastIncident('foreign', asking, { domain: 'elsewhere' }),
          pastIncident('merged', asking, { state: 'merged' }),
        ];
        await write(await rowsOf([...noise, ...planted]));
      });

      function recall(change: Partial<RecallEffect['payload']> = {}): Promise<RecallResult> {
        const carry = createRecall(database, {
          timeoutMs: 20_000,
          onProblem: (error) => {
            throw error;
          },
        });
        const payload: RecallEffect['payload'] = {
          incidentId: 'asking',
          domain: 'recall',
          beforeMs: startMs + 5 * minuteMs,
          templates: [],
          signatures: [asking],
          services: ['db'],
          limit: 5,
          ...change,
        };
        const effect: RecallEffect = { id: 'asking/recall', kind: 'recall', payload };
        return carry(effect, new AbortController().signal);
      }

      test('finds what is like it, the most similar first, and neither itself, nor later, foreign or merged ones', async () => {
        const { similar, historyMissing } = await recall();
        expect(historyMissing).toBe(false);
        expect(similar.map(({ incidentId }) => incidentId)).toEqual(['twin', 'cousin']);
        expect(similar[0]).toMatchObject({
          title: 'Incident twin',
          openedAtMs: startMs - 30 * minuteMs,
          resolvedAtMs: null,
          priority: 'P2',
          shared: expect.arrayContaining(['service db', 'text of DiskFull']) as unknown,
        });
        expect(similar[0]?.similarity).toBeGreaterThan(0.9);
        expect(similar[1]?.similarity).toBeLessThan(0.7);
      });

      test('keeps to the limit', async () => {
        expect((await recall({ limit: 1 })).similar.map(({ incidentId }) => incidentId)).toEqual(['twin']);
      });

      test('labels that both have raise the similarity', async () => {
        const labels = [labelsOf({ alertname: 'DiskFull', service: 'db', severity: 'critical' })];
        const [plain, labelled, unlike] = await Promise.all([
          recall(),
          recall({ labels }),
          recall({ labels: [labelsOf({ alertname: 'Other' })] }),
        ]);
        expect(similarityOf(labelled)).toBeGreaterThan(similarityOf(plain));
        expect(similarityOf(unlike)).toBeLessThan(similarityOf(plain));
      });

      test('finds nothing for an incident without sketches, and nothing unlike', async () => {
        expect((await recall({ signatures: [] })).similar).toEqual([]);
        expect((await recall({ signatures: [signatureOf('never seen')] })).similar).toEqual([]);
      });

      test('compares many sketches at once', async () => {
        const signatures = [asking, ...Array.from({ length: 40 }, (_, i) => signatureOf(`more ${i}`))];
        const { similar } = await recall({ signatures });
        expect(similar[0]?.incidentId).toBe('twin');
        expect(similar[0]?.similarity).toBeGreaterThan(0.4);
      });
    });
  });
}

function similarityOf({ similar }: RecallResult): number {
  return similar[1]?.similarity ?? 0;
}
