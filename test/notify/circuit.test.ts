import { expect, test } from 'vitest';
import { Circuit, type CircuitState } from '../../src/notify/circuit.ts';
import { ManualClock, settled } from '../engine/scene.ts';

function createBench() {
  const clock = new ManualClock();
  const changes: CircuitState[] = [];
  const circuit = new Circuit({
    clock,
    openAfter: 3,
    firstWaitMs: 5000,
    onChange: (state) => changes.push(state),
  });
  const admitted: string[] = [];
  const ask = (name: string, stop = new AbortController().signal): Promise<void> =>
    circuit.admit(stop).then(() => void admitted.push(name));
  const fail = (count: number): void => {
    for (let n = 0; n < count; n++) circuit.failed(`failure ${n}`);
  };
  return { clock, circuit, changes, admitted, ask, fail };
}

test('failures in a row open it; one success between them does not let them count', async () => {
  const { circuit, changes, admitted, ask, fail } = createBench();
  fail(2);
  circuit.succeeded();
  fail(2);
  await ask('a');
  expect([admitted, changes]).toEqual([['a'], []]);
  fail(1);
  expect(circuit.view).toEqual({ state: 'open', sinceMs: 1000, waitingCount: 0, lastError: 'failure 0' });
});

test('while it is open all wait; then one goes as a probe, and when that is taken all go', async () => {
  const { clock, circuit, changes, admitted, ask, fail } = createBench();
  fail(3);
  void ask('a');
  void ask('b');
  void ask('c');
  await clock.goTo(5999);
  expect([admitted, circuit.view.waitingCount]).toEqual([[], 3]);
  await clock.goTo(6000);
  expect([admitted, circuit.view.state]).toEqual([['a'], 'half-open']);
  circuit.succeeded();
  await settled();
  expect(admitted).toEqual(['a', 'b', 'c']);
  await ask('d');
  expect(changes).toEqual(['open', 'half-open', 'closed']);
  expect(circuit.view).toMatchObject({ waitingCount: 0, lastError: null });
});

test('a probe that fails opens it for twice as long, up to a minute', async () => {
  const { clock, admitted, ask, circuit, fail } = createBench();
  fail(3);
  const waits: number[] = [];
  for (let probe = 0; probe < 6; probe++) {
    void ask(`probe ${probe}`);
    const sinceMs = clock.nowMs();
    while (admitted.length === probe) await clock.goTo(clock.nowMs() + 1000);
    waits.push(clock.nowMs() - sinceMs);
    circuit.failed('still away');
  }
  expect(waits).toEqual([5000, 10_000, 20_000, 40_000, 60_000, 60_000]);
});

test('a probe of which nothing is heard is followed by another', async () => {
  const { clock, admitted, ask, fail } = createBench();
  fail(3);
  void ask('a');
  void ask('b');
  await clock.goTo(6500);
  expect(admitted).toEqual(['a']);
  await clock.goTo(7000);
  expect(admitted).toEqual(['a', 'b']);
});

test('who comes when it is time for a probe, and nobody waits, is the probe', async () => {
  const { clock, admitted, ask, fail } = createBench();
  fail(3);
  await clock.goTo(60_000);
  void ask('a');
  void ask('b');
  await settled();
  expect(admitted).toEqual(['a']);
});

test('who does not want to wait any more leaves', async () => {
  const { circuit, fail } = createBench();
  fail(3);
  const stop = new AbortController();
  const waiting = circuit.admit(stop.signal);
  stop.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
  await expect(circuit.admit(stop.signal)).rejects.toThrow('enough');
  expect(circuit.view.waitingCount).toBe(0);
});

test('what was under way when it opened does not prolong it', async () => {
  const { clock, admitted, ask, fail } = createBench();
  fail(3);
  await clock.goTo(5000);
  fail(10);
  void ask('a');
  await clock.goTo(6000);
  expect(admitted).toEqual(['a']);
});
