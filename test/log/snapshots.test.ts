import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Checkpoint, TableChange } from '../../src/engine/index.ts';
import { openJetStreamSnapshots, type Snapshots } from '../../src/log/index.ts';
import { closeNats, type NatsConnection } from '../../src/nats/index.ts';
import { startNats, type NatsServer } from '../support/nats.ts';

const settings = { replicas: 1, maxBytes: null, maxAgeMs: null, duplicateWindowMs: 120_000 };

let server: NatsServer;
let connection: NatsConnection;
let manager: JetStreamManager;
let partition = 0;
let opened: Snapshots[] = [];

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
afterEach(() => {
  for (const snapshots of opened.splice(0)) snapshots.close();
  opened = [];
});

const stream = (): string => `test-snapshot-${partition}`;
const row = (key: string, value: unknown, order: number | null = 1): TableChange => ({
  table: 't',
  key,
  order,
  value,
});

async function open(): Promise<Snapshots> {
  const snapshots = await openJetStreamSnapshots({ connection, prefix: 'test', partition, settings });
  opened.push(snapshots);
  return snapshots;
}

async function write(snapshots: Snapshots, position: number, rows: readonly TableChange[]): Promise<void> {
  const whole = snapshots.begin();
  await whole.write(rows);
  await whole.finish({ position, timeMs: position * 10, changes: [] }).commit();
}

const valuesOf = (checkpoint: Checkpoint | null): unknown =>
  checkpoint?.rows.map(({ key, value }) => [key, value]);

test('the last complete snapshot is read, and those before it are forgotten', async () => {
  const snapshots = await open();
  expect([snapshots.last, await snapshots.readAfter(0)]).toEqual([null, null]);
  await write(snapshots, 5, [row('a', 1)]);
  await write(snapshots, 9, [row('a', 2), row('b', 3)]);
  const other = await open();
  expect(other.last).toMatchObject({ position: 9, timeMs: 90 });
  expect(await other.readAfter(8)).toMatchObject({ position: 9, timeMs: 90, rows: { length: 2 } });
  expect(valuesOf(await other.readAfter(0))).toEqual([
    ['a', 2],
    ['b', 3],
  ]);
  expect(await other.readAfter(9)).toBeNull();
  const { state } = await manager.streams.info(stream());
  expect(state.messages).toBe(3);
});

test('the last word on a row counts; it keeps its place', async () => {
  const snapshots = await open();
  const whole = snapshots.begin();
  await whole.write([row('a', 1, 1), row('b', 2, 2)]);
  await whole.write([row('c', 3, 3)]);
  const changes = [row('b', 'later', null), { table: 't', key: 'c', order: null }, row('d', 4, 7)];
  await whole.finish({ position: 4, timeMs: 1, changes }).commit();
  expect((await snapshots.readAfter(0))?.rows).toEqual([
    row('a', 1, 1),
    row('b', 'later', 2),
    row('d', 4, 7),
  ]);
});

test('what is larger than a message is put together again', async () => {
  const snapshots = await open();
  const rows = [
    row('small', 1, 1),
    row('large', 'x'.repeat(3_000_000), 2),
    ...Array.from({ length: 5000 }, (_, index) => row(`k${index}`, `${index}`.repeat(40), index + 3)),
  ];
  await write(snapshots, 1, rows);
  expect((await snapshots.readAfter(0))?.rows).toEqual(rows);
});

test('one that was begun and not completed leaves the one before, and nothing behind once another is begun', async () => {
  const snapshots = await open();
  await write(snapshots, 5, [row('a', 1)]);
  await snapshots.begin().write([row('a', 'y'.repeat(2_000_000))]);
  expect(valuesOf(await (await open()).readAfter(0))).toEqual([['a', 1]]);
  await (await open()).begin().write([]);
  expect(valuesOf(await (await open()).readAfter(0))).toEqual([['a', 1]]);
  const { state } = await manager.streams.info(stream(), {
    subjects_filter: `test.snapshot.${partition}.part.*`,
  });
  expect(Object.keys(state.subjects ?? {})).toHaveLength(1);
});

test('of two writers the one that began first is refused', async () => {
  const [one, other] = [await open(), await open()];
  const early = one.begin();
  await early.write([row('a', 'early')]);
  await write(other, 7, [row('a', 'late')]);
  await expect(early.finish({ position: 5, timeMs: 1, changes: [] }).commit()).rejects.toMatchObject({
    code: 'TOC_LOG_FENCED',
  });
  expect(valuesOf(await one.readAfter(0))).toEqual([['a', 'late']]);
});

test('one that lacks a part is told, and never taken for a smaller state', async () => {
  const snapshots = await open();
  const rows = Array.from({ length: 4 }, (_, index) => row(`${index}`, 'z'.repeat(400_000)));
  await write(snapshots, 5, rows);
  await manager.streams.deleteMessage(stream(), 3, false);
  await expect(snapshots.readAfter(0)).rejects.toMatchObject({ code: 'TOC_LOG_CORRUPT', retryable: false });
});

test('what is read while servers are away waits for them', async () => {
  const own = await startNats();
  const near = await own.connect({ maxReconnectAttempts: -1, reconnectTimeWait: 50 });
  const snapshots = await openJetStreamSnapshots({ connection: near, prefix: 'test', partition, settings });
  await write(snapshots, 5, [row('a', 1)]);
  await own.kill();
  const reading = snapshots.readAfter(0);
  await own.start();
  expect(valuesOf(await reading)).toEqual([['a', 1]]);
  await own.kill();
  const late = expect(snapshots.readAfter(0)).rejects.toMatchObject({ code: 'TOC_LOG_CLOSED' });
  snapshots.close();
  await late;
  await closeNats(near);
  await own.stop();
});
