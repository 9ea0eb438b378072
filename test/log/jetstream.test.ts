import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { entryCodec } from '../../src/app/entry-codec.ts';
import type { Entry } from '../../src/engine/index.ts';
import type { LogEntry } from '../../src/incident/index.ts';
import {
  jsonCodec,
  openJetStreamLog,
  openJetStreamWriter,
  type JetStreamLogOptions,
  type LogWriter,
  type SharedLog,
} from '../../src/log/index.ts';
import { closeNats, type NatsConnection } from '../../src/nats/index.ts';
import { Cable } from '../support/cable.ts';
import { appendAll } from '../support/log.ts';
import { startNats, startNatsAt, startNatsConfigured, type NatsServer } from '../support/nats.ts';
import { freePort } from '../support/port.ts';

const settings = { replicas: 1, maxBytes: null, maxAgeMs: null, duplicateWindowMs: 120_000 };
const report = (payload: unknown, timeMs = 1): Entry => ({ kind: 'alerts', timeMs, payload });
const tick = (timeMs: number): Entry => ({ kind: 'tick', timeMs, payload: null });
const owner = (name: string): Entry => ({ kind: 'owner', timeMs: 1, payload: { name } });

let server: NatsServer;
let connection: NatsConnection;
let manager: JetStreamManager;
let partition = 0;
let opened: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  server = await startNats();
  connection = await server.connect();
  manager = await jetstreamManager(connection);
});
afterAll(async () => {
  await connection.close();
  await server.stop();
});
beforeEach(() => {
  partition++;
});
afterEach(async () => {
  await Promise.all(opened.map((one) => one.close()));
  opened = [];
});

const stream = (): string => `test-log-${partition}`;

async function open(over: Partial<JetStreamLogOptions<Entry>> = {}): Promise<SharedLog> {
  const log = await openJetStreamLog({ connection, prefix: 'test', partition, settings, ...over });
  opened.push(log);
  return log;
}

async function openWriter(over: Partial<JetStreamLogOptions<Entry>> = {}): Promise<LogWriter> {
  const writer = await openJetStreamWriter({ connection, prefix: 'test', partition, settings, ...over });
  opened.push(writer);
  return writer;
}

async function payloadsOf(log: SharedLog): Promise<unknown[]> {
  const { entries } = await log.read(log.firstPosition, log.lastPosition);
  return entries.map(({ payload }) => payload);
}

describe('a log that several processes write', () => {
  test('all who follow it are handed the same entries at the same positions', async () => {
    const [one, other] = [await open(), await open()];
    const seen: unknown[][] = [[], []];
    for (const [index, log] of [one, other].entries())
      log.subscribe(({ firstPosition, entries }) => seen[index]!.push([firstPosition, entries[0]?.payload]));
    const writer = await openWriter();
    const drafts = Array.from({ length: 30 }, (_, index) => report(index));
    const positions = await Promise.all(
      drafts.map(async (draft, index) => ({
        position: (await [one, other, writer][index % 3]!.append(draft)).position,
        payload: draft.payload,
      })),
    );
    const last = Math.max(...positions.map(({ position }) => position));
    expect(last).toBe(30);
    // What one has appended itself it has been handed by then; the other may need a moment more.
    await appendAll(one, [report('end')]);
    await appendAll(other, [report('end')]);
    const inOrder = positions
      .toSorted((a, b) => a.position - b.position)
      .map(({ position, payload }) => [position, payload]);
    expect(seen[0]!.slice(0, 30)).toEqual(inOrder);
    expect(seen[1]!.slice(0, 30)).toEqual(inOrder);
  });

  test('of what an owner says only that of the last one who took over is taken', async () => {
    const [one, other] = [await open(), await open()];
    const fenced = { code: 'TOC_LOG_FENCED', retryable: false };
    await expect(one.append(tick(1))).rejects.toMatchObject(fenced);
    await one.takeOver(owner('one'));
    await one.append(tick(2));
    await other.takeOver(owner('other'));
    await expect(one.append(tick(3))).rejects.toMatchObject(fenced);
    await expect(one.append(tick(4))).rejects.toMatchObject(fenced);
    await other.append(tick(5));
    await one.append(report('anybody'));
    const { entries } = await one.read(1, 10);
    expect(entries.map(({ kind, timeMs }) => `${kind} ${timeMs}`)).toEqual([
      'owner 1',
      'tick 2',
      'owner 1',
      'tick 5',
      'alerts 1',
    ]);
    await one.takeOver(owner('one again'));
    await expect(other.append(tick(6))).rejects.toMatchObject(fenced);
  });

  test('of two who take over at the same time one is refused', async () => {
    const logs = [await open(), await open(), await open()];
    const results = await Promise.allSettled(logs.map((log, index) => log.takeOver(owner(`${index}`))));
    const kept = results.filter(({ status }) => status === 'fulfilled').length;
    expect(kept).toBeGreaterThanOrEqual(1);
    const writing = await Promise.allSettled(logs.map((log) => log.append(tick(1))));
    expect(writing.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  test('whether it is owned still is asked where nothing was appended for a while, once for all who ask', async () => {
    const [one, other] = [await open(), await open()];
    await expect(one.assertOwned(3_600_000, tick(1))).rejects.toMatchObject({ code: 'TOC_LOG_FENCED' });
    await one.takeOver(owner('one'));
    await one.assertOwned(3_600_000, tick(1));
    expect(one.lastPosition).toBe(1);
    await Promise.all([one.assertOwned(0, tick(1)), one.assertOwned(0, tick(1))]);
    expect(one.lastPosition).toBe(2);
    await other.takeOver(owner('other'));
    await expect(one.assertOwned(0, tick(1))).rejects.toMatchObject({ code: 'TOC_LOG_FENCED' });
    await other.assertOwned(0, tick(1));
    expect(other.lastPosition).toBe(4);
  });

  test('an owner goes on after its old entries were trimmed', async () => {
    const log = await open();
    await log.takeOver(owner('one'));
    await appendAll(
      log,
      Array.from({ length: 10 }, (_, index) => report(index)),
    );
    await log.trim(11);
    expect(log.firstPosition).toBe(1);
    await log.append(tick(2));
    await log.trim(11);
    expect(log.firstPosition).toBe(11);
    await log.append(tick(3));
    expect(await payloadsOf(log)).toEqual([9, null, null]);
  });
});

test('reports that come together share a message, and nothing else does', async () => {
  const writer = (await openJetStreamWriter<LogEntry>({
    connection,
    prefix: 'test',
    partition,
    settings,
    codec: entryCodec,
  })) as LogWriter;
  opened.push(writer);
  const drafts = Array.from({ length: 100 }, (_, index) => report([index], index));
  const command: Entry = { kind: 'command', timeMs: 1000, payload: 'c' };
  const appended = await Promise.all([
    ...drafts.map((draft) => writer.append(draft)),
    writer.append(command),
    writer.append(report(['late'])),
  ]);
  const log = await open({ codec: entryCodec });
  const { entries } = await log.read(1, 10);
  expect(entries.map(({ kind }) => kind)).toEqual(['alerts', 'command', 'alerts']);
  expect(entries[0]).toEqual(
    report(
      drafts.map((_, index) => index),
      99,
    ),
  );
  expect(appended.map(({ position }) => position)).toEqual([...drafts.map(() => 1), 2, 3]);
});

describe('servers that are away', () => {
  test('an append waits for them and is kept once; the log is followed further', async () => {
    const port = await freePort();
    const cable = await Cable.lay(port);
    const own = await startNatsAt(port);
    const { connect } = await import('@nats-io/transport-node');
    const far = await connect({ servers: cable.address, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
    const log = await openJetStreamLog({ connection: far, prefix: 'test', partition, settings });
    const seen: unknown[] = [];
    log.subscribe(({ entries }) => seen.push(...entries.map(({ payload }) => payload)));
    await log.append(report('before'));
    cable.cut();
    const late = [log.append(report('during')), log.append(report('behind'))];
    cable.mend();
    await Promise.all(late);
    expect(await payloadsOf(log)).toEqual(['before', 'during', 'behind']);
    expect(seen).toEqual(['before', 'during', 'behind']);
    await log.close();
    await far.close();
    await cable.remove();
    await own.stop();
  });

  test('what is read waits for them and goes on where it was; meanwhile that is told', async () => {
    const own = await startNats();
    const near = await own.connect({ maxReconnectAttempts: -1, reconnectTimeWait: 50 });
    const troubles: (string | null)[] = [];
    const { promise: answering, resolve: answers } = Promise.withResolvers<void>();
    const { promise: away, resolve: isAway } = Promise.withResolvers<void>();
    const log = await openJetStreamLog({
      connection: near,
      prefix: 'test',
      partition,
      settings,
      onTrouble(trouble) {
        troubles.push(trouble?.code ?? null);
        (trouble ? isAway : answers)();
      },
    });
    const drafts = Array.from({ length: 3000 }, (_, index) => report(index));
    await appendAll(log, drafts);
    await log.read(1, 10);
    await own.kill();
    const reading = log.read(11, 2990);
    await away;
    expect(log.trouble).toMatchObject({ code: 'TOC_LOG_UNAVAILABLE', retryable: true });
    await own.start();
    expect((await reading).entries).toEqual(drafts.slice(10));
    await answering;
    expect(log.trouble).toBeNull();
    expect(troubles).toEqual(['TOC_LOG_UNAVAILABLE', null]);
    await log.append(report('after'));
    await log.close();
    await closeNats(near);
    await own.stop();
  });

  test('what is read while the log is closed ends', async () => {
    const own = await startNats();
    const near = await own.connect({ maxReconnectAttempts: -1 });
    const log = await openJetStreamLog({
      connection: near,
      prefix: 'test',
      partition,
      settings,
      patienceMs: 100,
    });
    await appendAll(log, [report('a'), report('b')]);
    await own.kill();
    const reading = expect(log.read(1, 2)).rejects.toMatchObject({ code: 'TOC_LOG_CLOSED' });
    await log.close();
    await reading;
    await closeNats(near);
    await own.stop();
  });

  test('an append that nobody answers is refused in the end', async () => {
    const own = await startNats();
    const near = await own.connect();
    const writer = await openJetStreamWriter({
      connection: near,
      prefix: 'test',
      partition,
      settings,
      patienceMs: 100,
    });
    await own.stop();
    await expect(writer.append(report('lost'))).rejects.toMatchObject({
      code: 'TOC_LOG_UNAVAILABLE',
      retryable: true,
    });
    await closeNats(near);
  });
});

test('who folds slowly is not cut off from the servers by what waits for it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-nats-'));
  const own = await startNatsConfigured(folder, 'jetstream: enabled\nmax_pending: 12MB');
  const near = await own.connect();
  let cutCount = 0;
  void (async () => {
    for await (const { type } of near.status()) if (type === 'disconnect') cutCount++;
  })();
  const writer = await openJetStreamWriter({ connection: near, prefix: 'test', partition, settings });
  const count = 60;
  await appendAll(
    writer,
    Array.from({ length: count }, (_, index) => report('x'.repeat(900_000), index)),
  );
  const busy = new Int32Array(new SharedArrayBuffer(4));
  const plain = jsonCodec<Entry>();
  const decode = (bytes: Uint8Array): Entry => {
    Atomics.wait(busy, 0, 0, 20);
    return plain.decode(bytes);
  };
  const codec = { encode: (draft: Entry) => plain.encode(draft), decode };
  const log = await openJetStreamLog({ connection: near, prefix: 'test', partition, settings, codec });
  const { entries } = await log.read(1, count);
  expect(entries.map(({ timeMs }) => timeMs)).toEqual(entries.map((_, index) => index));
  expect([entries.length, cutCount]).toEqual([count, 0]);
  await writer.close();
  await log.close();
  await closeNats(near);
  await own.stop();
});

describe('a stream that is tampered with', () => {
  test('an entry that was deleted before it was read is a gap', async () => {
    const log = await open();
    await appendAll(log, [report('a'), report('b'), report('c')]);
    await manager.streams.deleteMessage(stream(), 2, false);
    await expect(log.read(1, 3)).rejects.toMatchObject({
      code: 'TOC_LOG_GAP',
      message: `entry 2 was taken out of the stream ${stream()} before being read`,
    });
  });

  test('entries that were purged before they were handed over are a gap, and nothing goes on', async () => {
    const cable = await Cable.lay(server.port);
    const { connect } = await import('@nats-io/transport-node');
    const far = await connect({ servers: cable.address, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
    const log = await openJetStreamLog({ connection: far, prefix: 'test', partition, settings });
    await log.append(report('a'));
    cable.cut();
    const writer = await openWriter();
    await appendAll(writer, [report('b'), report('c'), report('d')]);
    await manager.streams.purge(stream(), { seq: 4 });
    cable.mend();
    expect(await log.failed).toMatchObject({ code: 'TOC_LOG_GAP', message: /^entries 2 to 3 / });
    await expect(log.append(report('e'))).rejects.toMatchObject({ code: 'TOC_LOG_GAP' });
    await log.close();
    await far.close();
    await cable.remove();
  });

  test('a stream that was made anew is told', async () => {
    const log = await open();
    await appendAll(log, [report('a'), report('b')]);
    await manager.streams.delete(stream());
    const { identity } = await open();
    expect(identity).not.toBe(log.identity);
    expect(await log.failed).toMatchObject({ code: 'TOC_LOG_REPLACED' });
    await expect(log.read(1, 1)).rejects.toMatchObject({ code: 'TOC_LOG_REPLACED' });
  });

  test('a stream that is gone is told', async () => {
    const log = await open();
    await log.append(report('a'));
    await manager.streams.delete(stream());
    expect(await log.failed).toMatchObject({ code: 'TOC_LOG_REPLACED' });
  });

  test.each([
    'no entry',
    '{"accepted":1,"errors":[]}',
    '{"kind":"alerts","payload":[]}',
    '{"kind":"tick","timeMs":null}',
    'null',
    '[]',
    '',
  ])('a message that is no entry is told with its position: %s', async (text) => {
    const log = await open();
    connection.publish(`test.log.${partition}.open`, text);
    expect(await log.failed).toMatchObject({
      code: 'TOC_LOG_CORRUPT',
      message: 'the entry at position 1 cannot be read',
    });
  });
});

describe('limits', () => {
  test('an entry that is larger than what the server takes is refused alone', async () => {
    const log = await open();
    const appends = [report('a'), report('x'.repeat(1_100_000)), report('b')].map((draft) =>
      log.append(draft),
    );
    await expect(appends[1]).rejects.toMatchObject({ code: 'TOC_LOG_ENTRY_TOO_LARGE', retryable: false });
    await Promise.all([appends[0], appends[2]]);
    expect(await payloadsOf(log)).toEqual(['a', 'b']);
  });

  test('an entry that is larger than what the stream takes is refused alone', async () => {
    const log = await open();
    await manager.streams.update(stream(), { max_msg_size: 1000 });
    await expect(log.append(report('x'.repeat(2000)))).rejects.toMatchObject({
      code: 'TOC_LOG_ENTRY_TOO_LARGE',
    });
    await log.append(report('a'));
    expect(await payloadsOf(log)).toEqual(['a']);
  });

  test('a stream that is full takes nothing until it is trimmed, and forgets nothing', async () => {
    const log = await open({ settings: { ...settings, maxBytes: 10_000 } });
    await appendAll(
      log,
      Array.from({ length: 4 }, (_, index) => report(`${index}`.repeat(2000))),
    );
    await expect(log.append(report('y'.repeat(3000)))).rejects.toMatchObject({
      code: 'TOC_LOG_UNAVAILABLE',
      retryable: true,
    });
    expect(log.firstPosition).toBe(1);
    await log.trim(4);
    await log.append(report('y'.repeat(3000)));
    expect(await payloadsOf(log)).toHaveLength(2);
  });

  test('settings that were changed are brought to the stream', async () => {
    await (await open()).close();
    await open({ settings: { ...settings, maxBytes: 50_000, duplicateWindowMs: 60_000 } });
    const { config } = await manager.streams.info(stream());
    expect([config.max_bytes, config.duplicate_window]).toEqual([50_000, 60_000_000_000]);
  });

  test('of another number of partitions it is refused, and left as it is', async () => {
    await (await open({ partitionCount: 100 })).close();
    const other = { partitionCount: 101, settings: { ...settings, maxBytes: 50_000 } };
    const refusal = {
      code: 'TOC_LOG_MISMATCH',
      message: `the stream ${stream()} is "Tocsin: partition ${partition} of 100, from 0", not "Tocsin: partition ${partition} of 101, from 0"`,
    };
    await expect(open(other)).rejects.toMatchObject(refusal);
    await expect(openWriter(other)).rejects.toMatchObject(refusal);
    expect((await manager.streams.info(stream())).config.max_bytes).toBe(-1);
    await (await open({ partitionCount: 100 })).append(report('goes on'));
  });

  test('of two who make it for different numbers of partitions one is refused', async () => {
    const results = await Promise.allSettled([2, 3].map((partitionCount) => openWriter({ partitionCount })));
    expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  });
});
