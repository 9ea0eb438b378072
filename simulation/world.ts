import type { Entry } from '../src/engine/index.ts';
import { Life, Timeline } from './clock.ts';
import type { Defect, Fencing } from './defects.ts';
import type { Domain } from './domain.ts';
import { Faults, type FaultKind } from './faults.ts';
import type { Ledger } from './gateway.ts';
import { SimulatedHistory } from './history.ts';
import { SimulatedLog } from './log.ts';
import { longestDelayMs, Network } from './network.ts';
import { runOwner, type Session } from './owner-process.ts';
import { Random } from './random.ts';
import { SimulatedReceiver } from './receiver.ts';
import { SimulatedStore } from './store.ts';
import { Trace } from './trace.ts';
import { longestSkewMs, Watch } from './watch.ts';

/** Everything that decides a run. The same again gives the same run. */
export interface WorldOptions {
  readonly seed: number;
  readonly domain: 'toy' | 'product';
  readonly fencing: Fencing;
  readonly defect: Defect | null;
  readonly faults: ReadonlySet<FaultKind>;
  readonly ownerCount: number;
  readonly gatewayCount: number;
  readonly reportCount: number;
  /** How long faults may strike. */
  readonly faultyMs: number;
}

interface Host {
  life: Life;
  readonly skewMs: number;
  lifeCount: number;
}

const startMs = Date.UTC(2026, 0, 5, 9);
/** How long the log remembers ids: half of JetStream's two minutes, so that more runs see what happens after it. */
const windowMs = 60_000;
/** By then what an owner has asked for has arrived. */
const ownerPatienceMs = windowMs - 2 * longestDelayMs - 10_000;

/** The machines of a partition, what they share, and those who live on them. */
export class World<E extends Entry, Flow> {
  readonly options: WorldOptions;
  readonly domain: Domain<E, Flow>;
  readonly timeline = new Timeline(startMs);
  readonly trace = new Trace(this.timeline);
  readonly watch = new Watch(this.trace);
  readonly random: Random;
  readonly faults: Faults;
  readonly network: Network;
  readonly log: SimulatedLog<E>;
  readonly store: SimulatedStore;
  readonly receiver: SimulatedReceiver;
  readonly history = new SimulatedHistory();
  readonly ledger: Ledger = { acknowledged: new Set(), tried: new Set() };
  /** Who has, or believes to have, the lease; by machine. */
  readonly sessions = new Map<string, Session<E, Flow>>();
  readonly owners: readonly string[];
  readonly gateways: readonly string[];
  /** So much earlier than the store an owner takes its lease for lost: what it has sent by then has arrived. */
  readonly leaseMarginMs = longestDelayMs + longestSkewMs;
  /** Log time between two checkpoints. */
  readonly checkpointIntervalMs: number;
  /** Nobody takes the lease any more. */
  isClosing = false;
  readonly #hosts = new Map<string, Host>();

  constructor(options: WorldOptions, domain: Domain<E, Flow>) {
    this.options = options;
    this.domain = domain;
    const { seed, fencing, defect, ownerCount, gatewayCount } = options;
    const { timeline, trace, watch } = this;
    this.random = new Random(`${seed}`);
    this.faults = new Faults(options.faults, this.random.fork('faults'));
    this.network = new Network(timeline, this.faults, this.random.fork('network'), trace);
    const logOptions = {
      fencing: defect === 'log unfenced' ? ('none' as const) : fencing,
      windowMs: defect === 'no deduplication' ? 0 : windowMs,
    };
    this.log = new SimulatedLog(timeline, logOptions, trace);
    this.log.onKept = (kept) => watch.noteKept(kept);
    this.store = new SimulatedStore(timeline, defect, trace);
    this.store.onWritten = (what, owner) => watch.noteWritten(what, owner, this.store.granted);
    this.checkpointIntervalMs = this.random.fork('checkpoints').integer(200, 6000);
    this.receiver = new SimulatedReceiver(this.faults, trace);
    this.owners = Array.from({ length: ownerCount }, (_, index) => `owner-${index + 1}`);
    this.gateways = Array.from({ length: gatewayCount }, (_, index) => `gateway-${index + 1}`);
    this.network.onCrash = (host) => {
      this.crash(host);
      this.timeline.after(this.random.between(10, 8000), () => this.restart(host));
    };
  }

  /** How long an owner asks for the same append again. Under the fencing `sequence` the log itself keeps it from being kept twice. */
  get ownerPatienceMs(): number {
    return this.log.fencing === 'token' && this.defect !== 'owner asks for ever' ? ownerPatienceMs : Infinity;
  }

  get defect(): Defect | null {
    return this.options.defect;
  }

  /** Writes the first entry and begins all lives. */
  open(): void {
    const { domain, timeline } = this;
    const draft = domain.configure(Math.floor(timeline.nowMs));
    this.log.append({ id: 'config', draft, owned: null }, { give: () => undefined, refuse: () => undefined });
    for (const name of [...this.owners, ...this.gateways]) {
      const isSkewed = this.faults.has('clock skew') && this.random.chance(0.5);
      const skewMs = isSkewed ? this.random.integer(-longestSkewMs, longestSkewMs) : 0;
      if (isSkewed) this.faults.note('clock skew');
      this.#hosts.set(name, { life: this.#deadLife(name), skewMs, lifeCount: 0 });
      this.restart(name);
    }
  }

  lifeOf(host: string): Life {
    return this.#hosts.get(host)!.life;
  }

  crash(name: string): void {
    const { life } = this.#hosts.get(name)!;
    if (life.isOver) return;
    this.trace.add(`${life.name} crashes`);
    life.end();
    this.sessions.delete(name);
  }

  restart(name: string): void {
    const host = this.#hosts.get(name)!;
    if (!host.life.isOver) return;
    host.lifeCount++;
    host.life = new Life(`${name}.${host.lifeCount}`, this.timeline, host.skewMs);
    this.trace.add(`${host.life.name} begins`);
    if (this.owners.includes(name)) void runOwner(this, name, host.life);
  }

  pause(name: string): void {
    const { life } = this.#hosts.get(name)!;
    if (life.isOver) return;
    this.trace.add(`${life.name} is paused`);
    life.pause();
  }

  goOn(name: string): void {
    const { life } = this.#hosts.get(name)!;
    if (life.isPaused) this.trace.add(`${life.name} goes on`);
    life.goOn();
  }

  /** Everything works from now on, and everybody lives. */
  heal(): void {
    this.trace.add('everything heals');
    this.faults.end();
    this.network.heal();
    for (const name of this.#hosts.keys()) {
      this.restart(name);
      this.goOn(name);
    }
  }

  #deadLife(name: string): Life {
    const life = new Life(name, this.timeline, 0);
    life.end();
    return life;
  }
}
