import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { HistoryRow } from '../../src/engine/index.ts';
import { createRecall, HistoryReader, verifyAudit, type HistoryDatabase } from '../../src/history/index.ts';
import {
  alertOf,
  candidateOf,
  incidentOf,
  rowsOf,
  signalOf,
  signatureOf,
  similarTo,
} from '../history/scene.ts';
import { everyTable, firedAt, pastIncident, startMs, tickAt } from './history-scenes.ts';

const partition = 'copies';
const fingerprint = '00000000000000ee';

/**
 * Rows are written at least once, and second copies may come late and in any order: no question to the history may be answered otherwise
 * for that.
 */
export function describeCopies(name: string, open: () => Promise<HistoryDatabase>): void {
  describe(`second copies of rows: ${name}`, () => {
    let database: HistoryDatabase;
    let rows: readonly HistoryRow[];

    beforeAll(async () => {
      database = await open();
      const asking = signatureOf('copied');
      const turned = signalOf('turned-s', { domain: 'copied', signature: asking, state: 'firing' });
      const candidate = candidateOf('turned', [turned.id], { domain: 'copied' });
      rows = await rowsOf([
        ...everyTable,
        pastIncident('copied-a', similarTo(asking, 0.9, 'a'), { domain: 'copied' }),
        pastIncident('copied-b', similarTo(asking, 0.7, 'b'), { domain: 'copied' }),
        firedAt(startMs, alertOf({ alertname: 'Turned' }), turned.id),
        tickAt(startMs, {
          // All in one entry of the log: only the number of its row says which of a thing's states was the last.
          signalChanges: [
            { change: 'opened', signal: turned, reasons: [] },
            { change: 'grown', signal: { ...turned, alertCount: 2 }, reasons: [] },
            { change: 'grown', signal: { ...turned, alertCount: 3 }, reasons: [] },
          ],
          candidateChanges: [
            { change: 'opened', candidate, links: [] },
            { change: 'split', candidate: { ...candidate, signalIds: [] }, links: [] },
            { change: 'joined', candidate, links: [] },
          ],
          incidents: [incidentOf('turned', { domain: 'copied', openedAtMs: startMs })],
        }),
      ]);
      for (const { name: table } of await tables()) await database.command(`SYSTEM STOP MERGES ${table}`);
      await insert(rows);
    });

    afterAll(() => database.close());

    function tables(): Promise<readonly { readonly name: string }[]> {
      return database.query<{ name: string }>(
        "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%ReplacingMergeTree' ORDER BY name",
      );
    }

    async function insert(some: readonly HistoryRow[]): Promise<void> {
      for (const { table, id, row } of some)
        await database.insert(table, [JSON.stringify({ row_id: id, partition, ...row })]);
    }

    async function counts(modifier: '' | 'FINAL'): Promise<Record<string, number>> {
      const all: Record<string, number> = {};
      for (const { name: table } of await tables()) {
        const [row] = await database.query<{ count: number }>(
          `SELECT count() AS count FROM ${table} ${modifier}`,
        );
        all[table] = row?.count ?? 0;
      }
      return all;
    }

    /** Everything that is asked of the history: by the reader, by recall, by the handbook. */
    async function answers(): Promise<unknown> {
      const reader = new HistoryReader(database);
      const carry = createRecall(database, {
        timeoutMs: 20_000,
        onProblem: (error) => {
          throw error;
        },
      });
      const recalled = await carry(
        {
          id: 'r',
          kind: 'recall',
          payload: {
            incidentId: 'asking',
            domain: 'copied',
            beforeMs: startMs + 60_000,
            templates: [],
            signatures: [signatureOf('copied')],
            services: [],
            limit: 5,
          },
        },
        new AbortController().signal,
      );
      const handbook = readFileSync(join(import.meta.dirname, '../../docs/history.md'), 'utf8');
      const asked: unknown[] = [];
      for (const [, statement = ''] of handbook.matchAll(/```sql\n(.*?)```/gs)) {
        // Rows that are equal in what a statement orders by may come in any order.
        const found = await database.query(statement);
        asked.push([statement, found.map((row) => JSON.stringify(row)).toSorted()]);
      }
      return {
        recalled,
        asked,
        incidents: await reader.incidents(),
        turned: await reader.incident('turned'),
        story: await reader.incident('story-i1'),
        alert: await reader.alert(fingerprint),
        turnedAlert: await reader.alert(alertOf({ alertname: 'Turned' }).fingerprint),
        audit: verifyAudit(await reader.audit({ partition, limit: 10_000 })),
        counts: await counts('FINAL'),
      };
    }

    test('of what changed several times at once the last state is told', async () => {
      const { signals } = await new HistoryReader(database).incident('turned');
      expect(signals).toMatchObject([{ signalId: 'turned-s', alertCount: 3 }]);
    });

    test('no question is answered otherwise for them, in whatever order they come', async () => {
      const before = await answers();
      const raw = await counts('');
      await insert(rows.toReversed());
      await insert(rows.slice(3));
      expect(await answers()).toEqual(before);
      for (const [table, count] of Object.entries(await counts(''))) {
        if (table !== 'schema_migrations') expect(count, table).toBeGreaterThan(raw[table] ?? 0);
      }
      for (const { name: table } of await tables()) {
        await database.command(`SYSTEM START MERGES ${table}`);
        await database.command(`OPTIMIZE TABLE ${table} FINAL`);
      }
      expect(await answers()).toEqual(before);
    });
  });
}
