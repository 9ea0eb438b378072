import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createSteadyClock } from '../../src/app/steady-clock.ts';

const hourMs = 3_600_000;

/** A machine whose clock can be set. Its timers run by what really passes, as Node's do. */
class Machine {
  wallMs = 1_700_000_000_000;
  passedMs = 0;
  readonly steps: number[] = [];
  #timers: { readonly atMs: number; readonly fire: () => void }[] = [];

  readonly clock = createSteadyClock(
    {
      nowMs: () => this.wallMs,
      setTimer: (dueMs, fire) => {
        const timer = { atMs: this.passedMs + Math.max(0, dueMs - this.wallMs), fire };
        this.#timers.push(timer);
        return { cancel: () => (this.#timers = this.#timers.filter((other) => other !== timer)) };
      },
    },
    { monotonicMs: () => this.passedMs, onStepBack: (aheadMs) => this.steps.push(aheadMs) },
  );

  pass(ms: number): void {
    const endMs = this.passedMs + ms;
    for (;;) {
      const next = this.#timers.toSorted((a, b) => a.atMs - b.atMs)[0];
      if (!next || next.atMs > endMs) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#advance(next.atMs - this.passedMs);
      next.fire();
    }
    this.#advance(endMs - this.passedMs);
  }

  #advance(ms: number): void {
    this.passedMs += ms;
    this.wallMs += ms;
  }
}

test('it is the clock below while that one goes on', () => {
  const machine = new Machine();
  for (const ms of [1, 999, 60_000, 12]) {
    machine.pass(ms);
    expect(machine.clock.nowMs()).toBe(machine.wallMs);
  }
  expect([machine.clock.aheadMs, machine.steps]).toEqual([0, []]);
});

test('after a step back it goes on, a tenth slower until the other has caught up', () => {
  const machine = new Machine();
  const beforeMs = machine.clock.nowMs();
  machine.wallMs -= hourMs;
  expect(machine.clock.nowMs()).toBe(beforeMs);
  expect([machine.clock.aheadMs, machine.steps]).toEqual([hourMs, [hourMs]]);
  machine.pass(hourMs);
  expect(machine.clock.nowMs()).toBe(beforeMs + 0.9 * hourMs);
  machine.pass(9 * hourMs);
  expect(machine.clock.nowMs()).toBe(machine.wallMs);
  expect(machine.clock.aheadMs).toBe(0);
});

test('a step forward is taken, and ends being ahead', () => {
  const machine = new Machine();
  machine.wallMs -= hourMs;
  machine.clock.nowMs();
  machine.wallMs += 2 * hourMs;
  expect(machine.clock.nowMs()).toBe(machine.wallMs);
  expect(machine.clock.aheadMs).toBe(0);
});

test('it begins where the log has ended', () => {
  const machine = new Machine();
  machine.clock.advanceTo(machine.wallMs + hourMs);
  expect(machine.clock.nowMs()).toBe(machine.wallMs + hourMs);
  expect(machine.steps).toEqual([hourMs]);
  machine.clock.advanceTo(machine.wallMs);
  expect(machine.clock.nowMs()).toBe(machine.wallMs + hourMs);
});

test('a timer fires when the clock reads its time, whatever the clock below does', () => {
  const machine = new Machine();
  const readings: number[] = [];
  const dueMs = machine.clock.nowMs() + 30_000;
  machine.clock.setTimer(dueMs, () => readings.push(machine.clock.nowMs()));
  machine.pass(10_000);
  machine.wallMs -= hourMs;
  machine.clock.nowMs();
  machine.pass(20_000);
  expect(readings).toEqual([]);
  machine.pass(5_000);
  expect(readings).toHaveLength(1);
  expect(readings[0]! - dueMs).toBeLessThan(100);
  expect(readings[0]).toBeGreaterThanOrEqual(dueMs);
});

test('it never goes back, and never stands still for long', () => {
  const acts = fc.array(
    fc.record({ passMs: fc.integer({ min: 0, max: 100_000 }), stepMs: fc.integer({ min: -1e7, max: 1e7 }) }),
  );
  fc.assert(
    fc.property(acts, (list) => {
      const machine = new Machine();
      let lastMs = machine.clock.nowMs();
      for (const { passMs, stepMs } of list) {
        machine.pass(passMs);
        const nowMs = machine.clock.nowMs();
        expect(nowMs - lastMs).toBeGreaterThanOrEqual(Math.floor(0.9 * passMs) - 1001);
        expect(nowMs).toBeGreaterThanOrEqual(lastMs);
        machine.wallMs += stepMs;
        lastMs = machine.clock.nowMs();
        expect(lastMs).toBeGreaterThanOrEqual(nowMs);
      }
    }),
  );
});
