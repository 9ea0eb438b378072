import {
  EffectRunner,
  PartitionOwner,
  type Carrier,
  type DeliveryLog,
  type Effect,
  type Entry,
  type Fold,
  type Frame,
} from '../src/engine/index.ts';
import type { Life } from './clock.ts';
import { SimulatedSink } from './history.ts';
import { logHost, type LogHead } from './log.ts';
import { SimulatedOwnedLog } from './owned-log.ts';
import { createCarrier } from './receiver.ts';
import { StoreClient } from './store-client.ts';
import { storeHost, type Lease } from './store.ts';
import type { World } from './world.ts';

const leaseMs = 10_000;
const renewMs = 3000;
const seekMs = 1500;
const askMs = 2000;

/** What an owner does while it has the lease. */
export interface Session<E extends Entry, Flow> {
  readonly name: string;
  readonly lease: Lease;
  readonly fold: Fold<E, Flow>;
  readonly owner: PartitionOwner<E, Flow>;
  /** Whether it acts on the log by now. */
  readonly isLeading: boolean;
  end(): Promise<void>;
}

/** A process that seeks the lease of the partition, and owns it while it has it. Never resolves; it ends with its life. */
export async function runOwner<E extends Entry, Flow>(
  world: World<E, Flow>,
  host: string,
  life: Life,
): Promise<void> {
  for (let count = 1; ; count++) {
    const lease = world.isClosing ? null : await seekLease(world, host, life, `${life.name}.${count}`);
    if (lease) await holdLease(world, host, life, lease);
    await life.wait(seekMs);
  }
}

async function seekLease<E extends Entry, Flow>(
  { network, log, store }: World<E, Flow>,
  host: string,
  life: Life,
  session: string,
): Promise<(Lease & { readonly askedAtMs: number }) | null> {
  const call = { from: life, host, timeoutMs: askMs };
  try {
    const head = await network.ask<LogHead>({
      ...call,
      to: logHost,
      what: 'head',
      silence: 'TOC_LOG_UNAVAILABLE',
      serve: (answer) => answer.give(log.head),
    });
    const askedAtMs = life.nowMs();
    const lease = await network.ask<Lease | null>({
      ...call,
      to: storeHost,
      what: 'lease?',
      silence: 'TOC_STORE_UNAVAILABLE',
      serve: (answer) => answer.give(store.acquire(session, leaseMs, head.highestToken)),
    });
    return lease && { ...lease, askedAtMs };
  } catch {
    return null;
  }
}

/** Owns the partition until the lease is lost. */
async function holdLease<E extends Entry, Flow>(
  world: World<E, Flow>,
  host: string,
  life: Life,
  lease: Lease & { readonly askedAtMs: number },
): Promise<void> {
  const { network, store, leaseMarginMs } = world;
  const lost = Promise.withResolvers<void>();
  let untilMs = lease.askedAtMs + leaseMs - leaseMarginMs;
  const session = openSession(world, host, life, {
    lease,
    holdsLease: () => life.nowMs() < untilMs,
    lose: () => lost.resolve(),
  });
  world.sessions.set(host, session);
  const renew = async (): Promise<void> => {
    while (world.sessions.get(host) === session) {
      await life.wait(renewMs);
      const askedAtMs = life.nowMs();
      if (askedAtMs > untilMs) return lost.resolve();
      const isHeld = await network
        .ask<boolean>({
          from: life,
          host,
          to: storeHost,
          what: 'renew',
          timeoutMs: askMs,
          silence: 'TOC_STORE_UNAVAILABLE',
          serve: (answer) => answer.give(store.renew(lease.owner, leaseMs)),
        })
        .catch(() => null);
      if (isHeld === false) return lost.resolve();
      if (isHeld) untilMs = askedAtMs + leaseMs - leaseMarginMs;
    }
  };
  void renew();
  void act(world, session, life).catch(() => lost.resolve());
  await lost.promise;
  world.trace.add(`${lease.owner} gives up its lease`);
  world.sessions.delete(host);
  // The old session may take its time: what it still does must not matter.
  void session.end();
}

interface OpenSession<E extends Entry, Flow> extends Session<E, Flow> {
  readonly log: SimulatedOwnedLog<E>;
  isLeading: boolean;
}

async function act<E extends Entry, Flow>(
  world: World<E, Flow>,
  session: OpenSession<E, Flow>,
  life: Life,
): Promise<void> {
  const { log, owner } = session;
  await log.open();
  if (session.lease.isFirst && log.lastOwnedPosition > 0 && world.defect !== 'no patience')
    await life.wait(leaseMs);
  await owner.start();
  if (world.defect !== 'no claim') {
    const position = await log.claim();
    if (!(await owner.applied(position))) return;
  }
  await owner.lead();
  session.isLeading = true;
  world.trace.add(`${session.name} leads`);
}

function openSession<E extends Entry, Flow>(
  world: World<E, Flow>,
  host: string,
  life: Life,
  {
    lease,
    holdsLease,
    lose,
  }: { readonly lease: Lease; readonly holdsLease: () => boolean; readonly lose: () => void },
): OpenSession<E, Flow> {
  const { network, store, domain, defect, watch } = world;
  const { owner: name } = lease;
  const at = { life, host, network };
  const log = new SimulatedOwnedLog<E>({
    ...at,
    log: world.log,
    session: name,
    givenToken: defect === 'token of the store' ? lease.token : null,
    createClaim: () => domain.tick(0),
    idOf: (draft, session, count) =>
      draft.kind === 'fact' && defect === 'fact id without token'
        ? `fact/${(draft.payload as { effectId: string }).effectId}`
        : `${session}/${count}`,
    patienceMs: world.ownerPatienceMs,
    onFenced: lose,
    isRefused: () => world.faults.strikes('append refused'),
  });
  const client = new StoreClient({ ...at, store, lease, onFenced: lose });
  const deliveries: DeliveryLog = {
    outcomeOf: (id) =>
      defect === 'deliveries not asked' ? Promise.resolve(undefined) : client.outcomeOf(id),
    record: (id, outcome) => client.record(id, outcome),
  };
  const send = createCarrier({
    ...at,
    receiver: world.receiver,
    holdsLease: () => defect === 'stale owner sends' || holdsLease(),
    onSend: (effect: Effect) => watch.noteSend(effect, store.outcomes.has(effect.id), name),
  });
  const carriers: Record<string, Carrier> = {};
  for (const kind of domain.sentKinds) carriers[kind] = send;
  for (const [kind, answer] of Object.entries(domain.questions)) carriers[kind] = async () => answer;
  const runner = new EffectRunner({
    carriers,
    laneOf: (effect) => domain.laneOf(effect),
    subjectOf: (effect) => domain.subjectOf(effect),
    deliveries,
    repeatableKinds: new Set(Object.keys(domain.questions)),
    appendClaim: async (claim) => void (await log.append(domain.claim(life.nowMs(), claim))),
    appendFact: async (fact) => void (await log.append(domain.fact(life.nowMs(), fact))),
    clock: life,
  });
  const fold = domain.createFold();
  const sink = new SimulatedSink({ ...at, history: world.history });
  const earlyMs = defect === 'timer fires early' ? 1500 : 0;
  const owner = new PartitionOwner<E, Flow>({
    fold,
    log,
    store: client,
    runner,
    sink:
      defect === 'checkpoint before its rows'
        ? { write: (rows) => sink.write(rows), flushed: async () => undefined }
        : sink,
    clock:
      earlyMs === 0
        ? life
        : {
            nowMs: () => life.nowMs(),
            setTimer: (dueMs, fire) => life.setTimer(dueMs - earlyMs, fire),
          },
    nextTurn: () => life.wait(0),
    createTick: (timeMs) => domain.tick(timeMs),
    createResume: (timeMs, atMs) => domain.resume(timeMs, atMs),
    checkpointIntervalMs: world.checkpointIntervalMs,
    leads: false,
    onFrames: (frames: readonly Frame<E, Flow>[]) => watch.noteFrames(name, frames),
    onFailure: (error) => {
      watch.notePartitionFailed(name, error);
      lose();
    },
  });
  return {
    name,
    lease,
    fold,
    owner,
    log,
    isLeading: false,
    async end() {
      const stopped = owner.stop();
      await stopped;
      log.end();
      network
        .ask<null>({
          ...at,
          from: life,
          to: storeHost,
          what: 'release',
          timeoutMs: askMs,
          silence: 'TOC_STORE_UNAVAILABLE',
          serve: (answer) => {
            store.release(name);
            answer.give(null);
          },
        })
        .catch(() => undefined);
    },
  };
}
