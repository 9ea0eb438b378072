import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { TocsinError, type Entry } from '../../src/engine/index.ts';
import {
  openJetStreamLog,
  openJetStreamSnapshots,
  openJetStreamWriter,
  type SharedLog,
} from '../../src/log/index.ts';
import { closeNats, type NatsConnection } from '../../src/nats/index.ts';
import { Cable } from '../support/cable.ts';
import { startNatsCluster, type NatsCluster } from '../support/nats-cluster.ts';
import type { NatsServer } from '../support/nats.ts';

const settings = { replicas: 3, maxBytes: null, maxAgeMs: null, duplicateWindowMs: 120_000 };
const timeout = 60_000;
const patience = { timeout: 30_000, interval: 50 };
/** A connection that finds out soon that a server has stopped. */
const alert = {
  maxReconnectAttempts: -1,
  reconnectTimeWait: 50,
  timeout: 1000,
  pingInterval: 500,
  maxPingOut: 2,
};
const report = (payload: unknown): Entry => ({ kind: 'alerts', timeMs: 1, payload });
const tick = (timeMs: number): Entry => ({ kind: 'tick', timeMs, payload: null });
const owner = (name: string): Entry => ({ kind: 'owner', timeMs: 1, payload: { name } });

let cluster: NatsCluster;
let connection: NatsConnection;
let manager: JetStreamManager;
let partition = 0;
let closers: (() => Promise<void>)[] = [];

beforeAll(async () => {
  cluster = await startNatsCluster();
}, 120_000);
afterAll(() => cluster.stop());
beforeEach(async () => {
  partition++;
  connection = await connect({ ...alert, servers: [...cluster.urls] });
  manager = await jetstreamManager(connection, { checkAPI: false });
  // After servers were away they choose a leader of all streams first.
  const isLed = async (): Promise<boolean> => (await manager.getAccountInfo().catch(() => null)) !== null;
  await expect.poll(isLed, patience).toBe(true);
});
afterEach(async () => {
  for (const server of cluster.servers) server.resume();
  await startKilled();
  await Promise.all(closers.splice(0).map((close) => close()));
  closers = [];
  await current(`test-log-${partition}`);
  await connection.close();
}, timeout);

const killed = new Set<NatsServer>();

async function kill(server: NatsServer): Promise<void> {
  killed.add(server);
  await server.kill();
}

async function startKilled(): Promise<void> {
  for (const server of killed) await server.start();
  killed.clear();
}

/** Resolves once each server has all that the stream holds. */
async function current(stream: string): Promise<void> {
  const isCurrent = async (): Promise<boolean> => {
    try {
      const { cluster: members } = await manager.streams.info(stream);
      const copies = members?.replicas ?? [];
      return copies.length === 2 && copies.every((copy) => copy.current && !copy.offline && !copy.lag);
    } catch {
      return false;
    }
  };
  await expect.poll(isCurrent, patience).toBe(true);
}

async function leaderOf(stream: string): Promise<NatsServer> {
  const { cluster: members } = await manager.streams.info(stream);
  // They are called n1, n2, n3.
  return cluster.servers[Number(members!.leader!.slice(1)) - 1]!;
}

async function open(over: NatsConnection = connection): Promise<SharedLog> {
  const log = await openJetStreamLog({ connection: over, prefix: 'test', partition, settings });
  closers.push(() => log.close());
  return log;
}

const leader = (): Promise<NatsServer> => leaderOf(`test-log-${partition}`);

/** Appends one report after the other for as long as it runs, and notes what was acknowledged where. */
function keepAppending(log: SharedLog) {
  const acknowledged = new Map<number, number>();
  const stop = new AbortController();
  let sentCount = 0;
  const run = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      const payload = ++sentCount;
      try {
        acknowledged.set(payload, (await log.append(report(payload))).position);
      } catch (error) {
        // Whether it was kept nobody knows, and its sender comes again.
        if (!(error instanceof TocsinError) || !error.retryable) throw error;
      }
    }
  };
  const work = run();
  return {
    acknowledged,
    /** Resolves once so many more were acknowledged. */
    more: (count: number): Promise<void> => {
      const least = acknowledged.size + count;
      return expect.poll(() => acknowledged.size, patience).toBeGreaterThanOrEqual(least);
    },
    async stop(): Promise<void> {
      stop.abort();
      await work;
    },
  };
}

interface Seen {
  readonly position: number;
  readonly payload: number;
}

function follow(log: SharedLog): Seen[] {
  const seen: Seen[] = [];
  log.subscribe(({ firstPosition, entries }) => {
    for (const [index, { payload }] of entries.entries())
      seen.push({ position: firstPosition + index, payload: payload as number });
  });
  return seen;
}

/** Everything that was acknowledged is where it was said to be, nothing is there twice, and all is in the order of its sending. */
async function check(log: SharedLog, seen: readonly Seen[], acknowledged: ReadonlyMap<number, number>) {
  const { entries } = await log.read(1, log.lastPosition);
  const read = entries.map(({ payload }, index) => ({ position: index + 1, payload: payload as number }));
  expect(seen).toEqual(read);
  const payloads = read.map(({ payload }) => payload);
  expect(payloads).toEqual([...new Set(payloads)].toSorted((a, b) => a - b));
  const positions = new Map(read.map(({ position, payload }) => [payload, position]));
  expect([...acknowledged].filter(([payload, position]) => positions.get(payload) !== position)).toEqual([]);
  const fresh = await open();
  expect((await fresh.read(1, fresh.lastPosition)).entries).toEqual(entries);
}

test('the leader of the stream is killed and comes back', { timeout }, async () => {
  const log = await open();
  const seen = follow(log);
  const appending = keepAppending(log);
  await appending.more(20);
  await kill(await leader());
  const reading = log.read(1, 10);
  await appending.more(20);
  await startKilled();
  await current(`test-log-${partition}`);
  await appending.more(20);
  await appending.stop();
  expect((await reading).entries.map(({ payload }) => payload)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  await check(log, seen, appending.acknowledged);
});

test('a server that only follows, and that the client talks to, stands still', { timeout }, async () => {
  await open();
  const leading = await leader();
  const paused = cluster.servers.find((server) => server !== leading)!;
  const near = await connect({ ...alert, servers: [paused.url, ...cluster.urls], noRandomize: true });
  expect(near.getServer()).toBe(paused.url);
  const log = await open(near);
  const seen = follow(log);
  const appending = keepAppending(log);
  await appending.more(20);
  paused.pause();
  await appending.more(20);
  paused.resume();
  await current(`test-log-${partition}`);
  await appending.more(20);
  await appending.stop();
  await check(log, seen, appending.acknowledged);
  await log.close();
  await closeNats(near);
});

test('all servers are started anew, one after the other', { timeout }, async () => {
  const log = await open();
  const seen = follow(log);
  const appending = keepAppending(log);
  for (const server of cluster.servers) {
    await appending.more(5);
    await kill(server);
    await startKilled();
    await current(`test-log-${partition}`);
  }
  await appending.more(5);
  await appending.stop();
  await check(log, seen, appending.acknowledged);
});

test(
  'an entry whose acknowledgement was lost is kept once, though another leads the stream by then',
  { timeout },
  async () => {
    const witness = await open();
    const leading = await leader();
    const { url } = cluster.servers.find((server) => server !== leading)!;
    const cable = await Cable.lay(Number(url.split(':')[1]));
    const far = await connect({
      ...alert,
      servers: cable.address,
      pingInterval: 60_000,
      ignoreClusterUpdates: true,
    });
    const log = await open(far);
    await log.append(report('before'));
    cable.mute();
    const appending = log.append(report('lost'));
    await expect.poll(() => witness.lastPosition, patience).toBe(2);
    await kill(leading);
    cable.cut();
    cable.mend();
    expect((await appending).position).toBe(2);
    expect((await log.append(report('after'))).position).toBe(3);
    expect((await log.read(1, 9)).entries.map(({ payload }) => payload)).toEqual(['before', 'lost', 'after']);
    await log.close();
    await far.close();
    await cable.remove();
  },
);

test(
  'who takes over while the leader of the stream is gone fences off the owner before',
  { timeout },
  async () => {
    const [one, other] = [await open(), await open()];
    await one.takeOver(owner('one'));
    await one.append(tick(2));
    await kill(await leader());
    const stale = one.append(tick(3)).then(
      () => true,
      () => false,
    );
    await other.takeOver(owner('other'));
    const isKept = await stale;
    await expect(one.append(tick(4))).rejects.toMatchObject({ code: 'TOC_LOG_FENCED' });
    await other.append(tick(5));
    const { entries } = await other.read(1, 9);
    expect(entries.map(({ kind, timeMs }) => `${kind} ${timeMs}`)).toEqual([
      'owner 1',
      'tick 2',
      ...(isKept ? ['tick 3'] : []),
      'owner 1',
      'tick 5',
    ]);
  },
);

test(
  'without most of the servers the log says so, whoever led it, until they are back',
  { timeout },
  async () => {
    const writer = await openJetStreamWriter({ connection, prefix: 'test', partition, settings });
    closers.push(() => writer.close());
    const log = await open();
    for (const staysLeader of [true, false]) {
      const leading = await leader();
      const left = staysLeader ? leading : cluster.servers.find((server) => server !== leading)!;
      for (const server of cluster.servers) if (server !== left) await kill(server);
      for (const one of [writer, log])
        await expect
          .poll(() => one.trouble?.message, patience)
          .toMatch(/^most of the servers that keep .* are away$/);
      await startKilled();
      await current(`test-log-${partition}`);
      for (const one of [writer, log]) await expect.poll(() => one.trouble, patience).toBe(null);
    }
    await log.append(report('after'));
  },
);

test('a snapshot is written and read while the leader of its stream is gone', { timeout }, async () => {
  await open();
  const snapshots = await openJetStreamSnapshots({ connection, prefix: 'test', partition, settings });
  const whole = snapshots.begin();
  const rows = ['a', 'b'].map((key, index) => ({
    table: 't',
    key,
    order: index + 1,
    value: 'x'.repeat(700_000),
  }));
  await whole.write(rows.slice(0, 1));
  await kill(await leaderOf(`test-snapshot-${partition}`));
  await whole.write(rows.slice(1));
  await whole.finish({ position: 5, timeMs: 5, changes: [] }).commit();
  expect(await snapshots.readAfter(0)).toEqual({ position: 5, timeMs: 5, rows });
  snapshots.close();
});
