import type { Entry } from '../src/engine/index.ts';
import { takeIn } from './gateway.ts';
import type { World } from './world.ts';

/** A sender that has had no answer for so long asks another gateway. */
const patienceMs = 40_000;
const retryMs = 1000;

/** Those who report, each thing until it was acknowledged, as Prometheus does. */
export class Senders<E extends Entry, Flow> {
  readonly #world: World<E, Flow>;
  #waitingCount: number;
  #tryCount = 0;

  constructor(world: World<E, Flow>) {
    this.#world = world;
    this.#waitingCount = world.options.reportCount;
  }

  /** Whether all has been acknowledged. */
  get isDone(): boolean {
    return this.#waitingCount === 0;
  }

  /** Spreads the reports over `lengthMs`, some close together. */
  begin(lengthMs: number): void {
    const { timeline, domain, options } = this.#world;
    const random = this.#world.random.fork('senders');
    let atMs = timeline.nowMs;
    for (let count = 1; count <= options.reportCount; count++) {
      const isBurst = random.chance(0.4);
      atMs += isBurst ? random.between(0, 20) : random.between(0, (2 * lengthMs) / options.reportCount);
      timeline.at(atMs, () => {
        const draft = domain.report(random, Math.floor(timeline.nowMs), count);
        this.#send(draft, random);
      });
    }
  }

  #send(draft: E, random: World<E, Flow>['random']): void {
    const world = this.#world;
    const { timeline, gateways } = world;
    const host = random.pick(gateways);
    const life = world.lifeOf(host);
    let isOver = false;
    const end = (isAcknowledged: boolean): void => {
      if (isOver) return;
      isOver = true;
      timer.cancel();
      if (isAcknowledged) this.#waitingCount--;
      else timeline.after(retryMs, () => this.#send(draft, random));
    };
    const timer = timeline.after(patienceMs, () => end(false));
    if (life.isOver) return end(false);
    const id = `${life.name}/${++this.#tryCount}`;
    life.meet(() => {
      const stamped = { ...draft, timeMs: life.nowMs() };
      void takeIn(world, { host, life, id, draft: stamped }).then(end);
    });
  }
}
