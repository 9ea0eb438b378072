import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { entryCodec, type AlertsDraft } from '../../src/app/entry-codec.ts';
import type { LogEntry } from '../../src/incident/index.ts';
import { openLmdbLog } from '../../src/log/index.ts';
import { decoders } from '../../src/source/index.ts';

const atMs = Date.parse('2026-03-02T10:00:00Z');
const tick = (timeMs: number): LogEntry => ({ kind: 'tick', timeMs, payload: null });

function draft(body: string, nowMs: number): AlertsDraft {
  const context = { nowMs, resolveTimeoutMs: 300_000, defaultDomain: 'default', domainLabel: 'domain' };
  const received = { format: 'alertmanager' as const, context, aheadMs: 0, body: Buffer.from(body) };
  return {
    kind: 'alerts',
    timeMs: nowMs,
    payload: decoders.alertmanager(received.body, context).alerts,
    received,
  };
}

test('what is handed over live is what is read back', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-codec-'));
  try {
    const log = openLmdbLog<LogEntry>(folder, entryCodec);
    const live: LogEntry[] = [];
    log.subscribe(({ entries }) => live.push(...entries));
    await log.append(tick(atMs));
    await log.append(
      draft('[{"labels":{"alertname":"DiskFull","__proto__":"x","é":"\\ud800"}},{"labels":7}]', atMs - 1000),
    );
    expect(live).toHaveLength(2);
    expect(live[1]).toMatchObject({
      kind: 'alerts',
      timeMs: atMs - 1000,
      payload: [{ receivedAtMs: atMs - 1000 }],
    });
    expect(live[1]).not.toHaveProperty('received');
    expect((await log.read(1, 10)).entries).toEqual(live);
    await log.close();

    const again = openLmdbLog<LogEntry>(folder, entryCodec);
    expect((await again.read(1, 10)).entries).toEqual(live);
    await again.close();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('entries that share bytes are read back as the one that they were joined to', () => {
  const parts = [
    draft('[{"labels":{"alertname":"DiskFull"}},{"labels":{"alertname":"Up"}}]', atMs + 5),
    {
      kind: 'alerts' as const,
      timeMs: atMs,
      payload: draft('[{"labels":{"alertname":"Plain"}}]', atMs).payload,
    },
    draft('[{"labels":{"alertname":"Last"}}]', atMs + 1),
  ].map((entry) => entryCodec.encode(entry));
  const { entry, bytes } = entryCodec.join!(parts);
  expect(entryCodec.decode(bytes)).toEqual(entry);
  expect(entry).toMatchObject({ kind: 'alerts', timeMs: atMs + 5 });
  expect(entry.payload).toHaveLength(4);
  expect(() => entryCodec.decode(bytes.subarray(0, bytes.length - 1))).toThrow(RangeError);
});
