import type { Entry } from '../src/engine/index.ts';
import { checkRun } from './check.ts';
import type { Domain } from './domain.ts';
import { Faults, type FaultCounts } from './faults.ts';
import { unleash } from './nemesis.ts';
import { productDomain } from './product-domain.ts';
import { Random } from './random.ts';
import { Senders } from './senders.ts';
import { toyDomain } from './toy-domain.ts';
import { World, type WorldOptions } from './world.ts';

export interface Run {
  readonly options: WorldOptions;
  /** What must never happen and did; empty when all is well. */
  readonly violations: readonly string[];
  readonly faultCounts: FaultCounts;
  readonly trace: readonly string[];
  readonly traceHash: string;
  readonly entryCount: number;
  readonly receivedCount: number;
  /** How often the receiver was sent what it had already. */
  readonly repeatCount: number;
  readonly sessionCount: number;
  /** Simulated milliseconds from the end of all faults until nothing was left to do. */
  readonly settledAfterMs: number;
}

/** Longer than anybody waits for an answer. */
const calmMs = 10_000;
/** Nothing may take longer than this once everything works again. */
const settleLimitMs = 240_000;
const stopLimitMs = 60_000;
/** A timer that has been due for longer than this is late. */
const lateMs = 3000;

/** What a seed stands for, unless something of it is said otherwise. */
export function optionsOf(seed: number, overrides: Partial<WorldOptions> = {}): WorldOptions {
  const random = new Random(`options/${seed}`);
  return {
    seed,
    domain: random.chance(0.5) ? 'toy' : 'product',
    fencing: random.chance(0.5) ? 'sequence' : 'token',
    defect: null,
    faults: Faults.choose(random),
    ownerCount: random.integer(1, 3),
    gatewayCount: random.integer(1, 3),
    reportCount: random.integer(3, 30),
    faultyMs: random.between(20_000, 140_000),
    ...overrides,
  };
}

/** One run, from nothing to a stop in good order, in one process and without waiting. */
export function simulate(options: WorldOptions): Promise<Run> {
  return options.domain === 'toy' ? runWorld(options, toyDomain) : runWorld(options, productDomain);
}

async function runWorld<E extends Entry, Flow>(options: WorldOptions, domain: Domain<E, Flow>): Promise<Run> {
  const world = new World(options, domain);
  const { timeline, watch, faults, trace, log, receiver } = world;
  const senders = new Senders(world);
  world.open();
  senders.begin(options.faultyMs);
  unleash(world);
  await timeline.run(timeline.nowMs + options.faultyMs, () => false);
  world.heal();
  const healedMs = timeline.nowMs;
  // What was lost before is noticed by now.
  await timeline.run(healedMs + calmMs, () => false);
  const isSettled = await timeline.run(healedMs + settleLimitMs, () => senders.isDone && hasSettled(world));
  const settledAfterMs = timeline.nowMs - healedMs;
  if (!isSettled) watch.add(`liveness: ${describe(world, senders.isDone)}`);
  else {
    trace.add('all is settled');
    const settledPosition = log.kept.length;
    await stopAll(world);
    await checkRun(world, settledPosition);
  }
  return {
    options,
    violations: watch.violations,
    faultCounts: faults.counts,
    trace: trace.lines,
    traceHash: trace.hash(),
    entryCount: log.kept.length,
    receivedCount: receiver.taken.length,
    repeatCount: receiver.repeatCount,
    sessionCount: world.store.granted.length,
    settledAfterMs,
  };
}

/** Whether somebody leads, everything in the log is folded in, nothing is pending and no timer is late. */
function hasSettled<E extends Entry, Flow>({ sessions, log, store, timeline }: World<E, Flow>): boolean {
  for (const { isLeading, fold, name } of sessions.values()) {
    if (!isLeading || !store.isHeldBy(name)) continue;
    const dueMs = fold.nextDueMs();
    return (
      fold.position === log.kept.length &&
      (dueMs === undefined || dueMs > timeline.nowMs - lateMs) &&
      fold.pendingEffects().length === 0
    );
  }
  return false;
}

/** Stops the owners in good order; nobody takes over. */
async function stopAll<E extends Entry, Flow>({ timeline, watch, ...world }: World<E, Flow>): Promise<void> {
  world.isClosing = true;
  let isStopped = false;
  const ends = [...world.sessions.values()].map((session) => session.end());
  void Promise.all(ends).then(() => (isStopped = true));
  if (!(await timeline.run(timeline.nowMs + stopLimitMs, () => isStopped)))
    watch.add('liveness: an owner does not stop');
}

function describe<E extends Entry, Flow>(world: World<E, Flow>, isAllSent: boolean): string {
  const { sessions, log, timeline } = world;
  const standings = [...sessions.values()].map(({ name, isLeading, fold }) => {
    const dueMs = fold.nextDueMs();
    const lateness = dueMs === undefined ? 0 : Math.max(0, Math.round(timeline.nowMs - dueMs));
    const pending = fold.pendingEffects().map(({ id }) => id);
    return `${name} ${isLeading ? 'leads' : 'does not lead'} at ${fold.position} of ${log.kept.length}, ${pending.length} pending (${pending[0] ?? ''}), a timer ${lateness} ms late`;
  });
  return `${isAllSent ? '' : 'not all reports are acknowledged; '}${standings.join('; ') || 'nobody has the lease'}`;
}
