import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Entry } from '../engine/index.ts';
import { choose } from './election.ts';
import { EntryFeed } from './entry-feed.ts';
import { canGoOn, Following, takeState } from './following.ts';
import { Lineage } from './lineage.ts';
import { Members, type Round } from './members.ts';
import { isNoLeader, noLeader } from './no-leader.ts';
import type { Answerer, ClusterEnd, ClusterOptions } from './options.ts';
import { ReplicatedLog } from './replicated-log.ts';
import { serveCluster, type Answers, type ClusterServer } from './server.ts';
import type { HelloReply, Standing } from './standing.ts';
import { Caller, NoAnswer, type Answer, type Question } from './wire.ts';

const probeTimeoutMs = 1000;
const beatMs = 1000;
const seekMs = 200;
const diskRetryMs = 1000;
/** A follower that asked for nothing so long is waited for no longer. */
const followerPatienceMs = 3000;
/** Longer than the leader waits for followers: it gives them up before they give it up. */
const defaultLeaderPatienceMs = 4000;
/** What a leader knows of the others is good for so long: less than a follower's patience. */
const roundValidMs = 2500;
const askPatienceMs = 10_000;

/**
 * One of several processes that share a log. One leads: it alone appends, and carries out effects. The others copy the log entry by
 * entry, fold it too, and send what they are given to the leader; when it is gone, the one with the newest log goes on in its place.
 *
 * See `choose` for who leads, `ReplicatedLog` for what is acknowledged when, and `isBeginningOf` for whose log is thrown away.
 */
export class Cluster<E extends Entry> {
  readonly id = `${Date.now().toString(36).padStart(9, '0')}-${randomBytes(6).toString('hex')}`;
  readonly #options: ClusterOptions<E>;
  readonly #lineage: Lineage;
  readonly #members: Members;
  readonly #caller: Caller;
  readonly #feed: EntryFeed;
  readonly #answerer = Promise.withResolvers<Answerer>();
  readonly #joined = Promise.withResolvers<void>();
  readonly #leading = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<ClusterEnd>();
  readonly #stop = new AbortController();
  readonly #monotonicMs: () => number;
  readonly #leaderPatienceMs: number;
  #log: ReplicatedLog<E> | null = null;
  #role: Standing['role'] = 'seeking';
  #following: Following<E> | null = null;
  /** When it first found members that neither answer nor are gone. */
  #settlingMs: number | null = null;
  #lastRoundBeganMs = -Infinity;
  #server: ClusterServer | null = null;
  #loops: Promise<unknown> = Promise.resolve();

  private constructor(options: ClusterOptions<E>, lineage: Lineage) {
    this.#options = options;
    this.#lineage = lineage;
    this.#monotonicMs = options.monotonicMs ?? (() => performance.now());
    this.#leaderPatienceMs = options.leaderPatienceMs ?? defaultLeaderPatienceMs;
    this.#caller = new Caller(options.token);
    this.#feed = new EntryFeed({
      log: options.log,
      replicated: {
        lastPosition: () => this.log.lastPosition,
        advance: () => this.#log?.advance(),
      },
      monotonicMs: this.#monotonicMs,
      onDropped: (id) => options.onChange({ kind: 'follower dropped', id }),
    });
    this.#members = new Members({
      peers: options.peers,
      caller: this.#caller,
      standing: () => this.#standing(),
      probeTimeoutMs,
      monotonicMs: this.#monotonicMs,
    });
  }

  /**
   * Joins the others, and resolves once this member leads or has caught up with who does. Until then the log belongs to the cluster; from
   * then on it is read and written through `log`. Rejects with TOC_LISTEN_FAILED, and with what the log and `replaceState` reject with.
   */
  static async join<E extends Entry>(options: ClusterOptions<E>): Promise<Cluster<E>> {
    const cluster = new Cluster(options, await Lineage.open(options.lineageFile, options.log));
    cluster.#server = await serveCluster(cluster.#answers(), options.listen, options.token);
    cluster.#loops = Promise.all([cluster.#run(), cluster.#beat()]);
    try {
      await Promise.race([cluster.#joined.promise, cluster.#loops]);
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  get log(): ReplicatedLog<E> {
    if (!this.#log) throw noLeader('this process has not joined its cluster');
    return this.#log;
  }

  /** Resolves once this member leads. */
  get leading(): Promise<void> {
    return this.#leading.promise;
  }

  get ended(): Promise<ClusterEnd> {
    return this.#ended.promise;
  }

  get role(): Standing['role'] {
    return this.#role;
  }

  /** All members that are heard, this one first. */
  get members(): readonly { readonly id: string; readonly address: string }[] {
    return [{ id: this.id, address: this.#options.advertise }, ...this.#members.list];
  }

  get inSyncCount(): number {
    return this.#feed.followers.inSyncCount;
  }

  /** Answers questions while this member leads. They wait until this was called. */
  answerWith(answerer: Answerer): void {
    this.#answerer.resolve(answerer);
  }

  /**
   * Asks whoever leads, this member itself where it does. While nobody leads, or the leader is lost before it answers, asks again: a
   * question must be one that may be asked twice. Rejects with TOC_CLUSTER_NO_LEADER when that lasts, else with what the leader's
   * answerer rejects with.
   */
  async ask(name: string, message: unknown): Promise<Answer> {
    const deadlineMs = this.#monotonicMs() + askPatienceMs;
    for (;;) {
      const leftMs = deadlineMs - this.#monotonicMs();
      if (leftMs <= 0 || this.#stop.signal.aborted)
        throw noLeader('no member of the cluster leads at the moment');
      const answer = await this.#askOnce({ name, message }, Math.ceil(leftMs));
      if (answer) return answer;
      await this.#pause(seekMs / 2);
    }
  }

  /**
   * Resolves when nobody else leads, as far as can be known: to be asked before anything is done that others see. A process that was
   * stopped and goes on learns here that it was replaced. Rejects with TOC_CLUSTER_NO_LEADER.
   */
  async assertLeading(): Promise<void> {
    if (this.#role === 'leading' && this.#monotonicMs() - this.#lastRoundBeganMs > roundValidMs)
      await this.#round();
    if (this.#role !== 'leading') throw noLeader('another process leads by now');
  }

  /** Leaves the cluster. The others choose anew at once. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#log?.resign();
    this.#feed.close();
    await this.#server?.close();
    await this.#loops.catch(() => undefined);
    this.#caller.close();
  }

  /** Undefined while nobody leads. */
  async #askOnce(question: Question, timeoutMs: number): Promise<Answer | undefined> {
    try {
      if (this.#role === 'leading') return await (await this.#answerer.promise)(question);
      if (!this.#following) return undefined;
      const { address } = this.#following.leader;
      return await this.#caller.ask({ address, timeoutMs }, question);
    } catch (error) {
      if (error instanceof NoAnswer || isNoLeader(error)) return undefined;
      throw error;
    }
  }

  #standing(): Standing {
    return {
      id: this.id,
      address: this.#options.advertise,
      role: this.#role,
      leaderId: this.#following?.leader.id ?? null,
      generation: this.#lineage.generation,
      position: this.#options.log.lastPosition,
    };
  }

  #answers(): Answers {
    return {
      hello: (hello, host) => {
        this.#members.note(hello, host);
        const { epochs } = this.#lineage;
        return {
          ...this.#members.hello,
          epochs: [...epochs],
          firstPosition: this.#options.log.firstPosition,
        };
      },
      entries: async (wanted, gone) => {
        const isOurs = (): boolean => this.#role === 'leading' && wanted.epochId === this.#lineage.last?.id;
        if (!isOurs()) return 'changed';
        const found = await this.#feed.take(wanted, gone);
        return isOurs() ? found : 'changed';
      },
      checkpoint: () => this.#options.readCheckpoint(),
      ask: async (question) => {
        if (this.#role !== 'leading') throw noLeader('this member does not lead');
        return (await this.#answerer.promise)(question);
      },
    };
  }

  /** Follows or seeks, until this member leads or must begin anew. */
  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted && this.#role !== 'leading') {
      try {
        if (this.#following) await this.#copy(this.#following);
        else await this.#seek();
      } catch (error) {
        if (!this.#log) throw error;
        this.#options.onChange({ kind: 'disk failed', error });
        await this.#pause(diskRetryMs);
      }
    }
  }

  /** Says hello to the others every second. */
  async #beat(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await this.#pause(beatMs);
      if (this.#stop.signal.aborted) return;
      await this.#round();
      this.#feed.dropSilent(this.#monotonicMs() - followerPatienceMs);
    }
  }

  async #round(): Promise<Round> {
    const round = await this.#members.round();
    this.#lastRoundBeganMs = Math.max(this.#lastRoundBeganMs, round.beganMs);
    if (this.#role === 'leading' && choose(this.#standing(), standings(round)).kind !== 'lead')
      this.#end('outranked');
    return round;
  }

  async #seek(): Promise<void> {
    const round = await this.#round();
    const choice = choose(this.#standing(), standings(round));
    const isUnsure = !this.#log && this.#isSettling(round);
    if (choice.kind === 'follow') {
      const leader = round.heard.find(({ standing }) => standing.id === choice.id)!;
      await this.#follow(leader);
    } else if (choice.kind === 'lead' && !isUnsure) await this.#lead(round);
    else await this.#pause(seekMs);
  }

  /** A member that begins waits a while for those that neither answer nor are gone. */
  #isSettling({ unheard }: Round): boolean {
    if (![...unheard.values()].includes('silent')) return false;
    this.#settlingMs ??= this.#monotonicMs();
    return this.#monotonicMs() - this.#settlingMs < this.#leaderPatienceMs;
  }

  async #lead(round: Round): Promise<void> {
    const { log, replaceState, onChange } = this.#options;
    // What a copy left behind that was cut off before its first entry.
    if (log.lastPosition === 0 && !this.#log) await replaceState(null);
    const generation =
      Math.max(this.#lineage.generation, ...round.heard.map(({ standing }) => standing.generation)) + 1;
    await this.#lineage.begin(generation, log.lastPosition + 1);
    if (this.#stop.signal.aborted) return;
    this.#following = null;
    this.#role = 'leading';
    this.#openLog().lead();
    onChange({ kind: 'leading', generation });
    this.#leading.resolve();
    this.#joined.resolve();
  }

  async #follow(reply: HelloReply): Promise<void> {
    const { log, onChange, replaceState } = this.#options;
    const { standing, epochs, firstPosition } = reply;
    const epoch = epochs.at(-1);
    const address = this.#members.list.find(({ id }) => id === standing.id)?.address;
    if (!epoch || address === undefined) return this.#pause(seekMs);
    const fits = canGoOn(log, this.#lineage, reply);
    if (!fits && this.#log) return this.#end('diverged');
    let from = log.lastPosition + 1;
    if (!fits || log.lastPosition === 0) {
      const transfer = { caller: this.#caller, address, lineage: this.#lineage, replaceState };
      const position = await takeState({ ...transfer, stop: this.#stop.signal });
      if (position === null) return this.#pause(seekMs);
      if (from > 1) onChange({ kind: 'state replaced', address });
      from = Math.max(position, firstPosition);
    }
    await this.#lineage.adopt(epochs);
    this.#following = new Following({
      leader: { id: standing.id, address, epochId: epoch.id },
      goalPosition: standing.position,
      followerId: this.id,
      caller: this.#caller,
      log,
      monotonicMs: this.#monotonicMs,
      stop: this.#stop.signal,
    });
    this.#role = 'following';
    onChange({ kind: 'following', address });
    if (from <= standing.position) await this.#copy(this.#following, from);
    else this.#noteCaughtUp(this.#following);
  }

  async #copy(following: Following<E>, fromPosition?: number): Promise<void> {
    try {
      await following.copy(fromPosition);
      this.#noteCaughtUp(following);
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      if (!this.#stop.signal.aborted) await this.#lostTouch(following, error);
    }
  }

  #noteCaughtUp(following: Following<E>): void {
    if (this.#log || !following.isCaughtUp) return;
    this.#openLog();
    this.#joined.resolve();
  }

  /** The leader did not answer. Gives it up when it is gone for sure, leads no more, or was silent for too long. */
  async #lostTouch({ leader, silentMs }: Following<E>, { why, message }: NoAnswer): Promise<void> {
    if (why === 'silent') {
      const { heard, unheard } = await this.#round();
      const leads = heard.some(({ standing: { id, role } }) => id === leader.id && role === 'leading');
      const mayBeThere = unheard.get(leader.address) !== 'gone';
      if (leads || (mayBeThere && silentMs < this.#leaderPatienceMs)) return this.#pause(seekMs);
    }
    this.#role = 'seeking';
    this.#following = null;
    this.#options.onChange({ kind: 'seeking', because: message });
    return undefined;
  }

  #openLog(): ReplicatedLog<E> {
    this.#log ??= new ReplicatedLog(this.#options.log, () => this.#feed.followers.replicatedPosition);
    return this.#log;
  }

  #end(end: ClusterEnd): void {
    this.#role = 'seeking';
    this.#log?.resign();
    this.#stop.abort();
    this.#ended.resolve(end);
  }

  async #pause(lengthMs: number): Promise<void> {
    await sleep(lengthMs, undefined, { signal: this.#stop.signal }).catch(() => undefined);
  }
}

function standings({ heard }: Round): Standing[] {
  return heard.map(({ standing }) => standing);
}
