import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mix, signatureLength } from '../../src/dedup/minhash.ts';
import { OpenSignals } from '../../src/dedup/open-signals.ts';
import { createSignalRow, type LiveSignal } from '../../src/dedup/signal-row.ts';
import type { Sketch } from '../../src/dedup/sketch.ts';
import { alertOf, startMs } from './scene.ts';

/** Sketches of which about `share` of the slots agree. */
function sketchOf(number: number, share: number): Sketch {
  const signature = Array.from({ length: signatureLength }, (_, slot) =>
    mix(slot + number * 977) / 2 ** 32 < Math.sqrt(share) ? slot : mix(number * 131 + slot),
  );
  return { content: `content ${number}`, signature, telling: '' };
}

function signalOf(order: number, sketch: Sketch, severity = 'warning', scope = 'scope'): LiveSignal {
  const alert = alertOf({ alertname: 'A', severity }, startMs);
  return {
    row: createSignalRow(`sig-${order}`, alert, '', '', 'severity', startMs),
    sketch,
    order,
    scope,
    joined: null,
    template: '',
    shape: 0,
    shapePlace: 0,
  };
}

function idOf(open: OpenSignals, sketch: Sketch, leastRank = 0): string | undefined {
  return open.best('scope', sketch, leastRank)?.signal.row.id;
}

describe.each([1, 40])('among %i signals of other texts', (others) => {
  function opened(...signals: LiveSignal[]): OpenSignals {
    const open = new OpenSignals(0.8);
    for (let i = 0; i < others; i++) open.add(signalOf(1000 + i, sketchOf(1000 + i, 0)));
    for (const signal of signals) open.add(signal);
    return open;
  }

  test('the same content is found, the oldest first', () => {
    const sketch = sketchOf(1, 0.5);
    expect(idOf(opened(signalOf(3, sketch), signalOf(2, sketch)), sketch)).toBe('sig-2');
  });

  test('the most similar is found, the oldest of equals', () => {
    const near = { ...sketchOf(1, 0.9), content: 'near' };
    const open = opened(signalOf(1, sketchOf(2, 0.9)), signalOf(4, near), signalOf(3, near));
    expect(idOf(open, sketchOf(1, 0.9))).toBe('sig-3');
  });

  test('what is of lower severity, closed or of another scope is not found', () => {
    const sketch = sketchOf(1, 0.5);
    const closed = signalOf(1, sketch, 'critical');
    const open = opened(closed, signalOf(2, sketch), signalOf(3, sketch, 'critical', 'other'));
    open.remove(closed);
    expect(idOf(open, sketch, 2)).toBe('sig-2');
    expect(open.best('scope', sketch, 3)?.similarity ?? 0).toBeLessThan(0.2);
  });
});

test('what is found depends on what is open, not on how it came there', () => {
  const all = Array.from({ length: 61 }, (_, order) => order);
  const some = fc.shuffledSubarray(all);
  fc.assert(
    fc.property(fc.array(fc.tuple(some, some), { minLength: 1, maxLength: 3 }), (waves) => {
      const signals = all.map((order) => signalOf(order, sketchOf(order, 0.5)));
      const grown = new OpenSignals(0.8);
      const present = new Set<number>();
      for (const [added, removed] of waves) {
        for (const order of added) if (!present.has(order)) grown.add(signals[order]!);
        for (const order of added) present.add(order);
        for (const order of removed) grown.remove(signals[order]!);
        for (const order of removed) present.delete(order);
      }
      const fresh = new OpenSignals(0.8);
      for (const order of [...present].toSorted((a, b) => a - b)) fresh.add(signals[order]!);
      for (let asked = 0; asked < 70; asked++) {
        expect(idOf(grown, sketchOf(asked, 0.5))).toBe(idOf(fresh, sketchOf(asked, 0.5)));
      }
    }),
    { numRuns: 40 },
  );
});
