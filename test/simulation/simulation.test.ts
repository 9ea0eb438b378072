import { expect, test } from 'vitest';
import { defects, type Defect } from '../../simulation/defects.ts';
import { faultKinds, type FaultKind } from '../../simulation/faults.ts';
import { Summary } from '../../simulation/report.ts';
import { shrink } from '../../simulation/shrink.ts';
import { optionsOf, simulate, type Run } from '../../simulation/simulate.ts';
import type { WorldOptions } from '../../simulation/world.ts';

test('no misfortune breaks an invariant, and every kind of it struck', async () => {
  const struck = new Set<FaultKind>();
  for (let seed = 1; seed <= 250; seed++) {
    const { violations, faultCounts } = await simulate(optionsOf(seed));
    expect(violations, `seed ${seed}`).toEqual([]);
    for (const kind of faultKinds) if (faultCounts[kind] > 0) struck.add(kind);
  }
  expect([...struck].toSorted()).toEqual([...faultKinds].toSorted());
}, 120_000);

test.each(['toy', 'product'] as const)('the same seed gives the same run: %s', async (domain) => {
  const hashes = new Set<string>();
  for (let seed = 1; seed <= 8; seed++) {
    const first = await simulate(optionsOf(seed, { domain }));
    const again = await simulate(optionsOf(seed, { domain }));
    expect(again.trace).toEqual(first.trace);
    expect(again.traceHash).toBe(first.traceHash);
    hashes.add(first.traceHash);
  }
  expect(hashes.size).toBe(8);
});

/** What each mistake breaks first, and within how many runs, counted from the seed 1 unless another is named. */
const teeth: Record<
  Defect,
  { breaks: RegExp; runs: number; from?: number; options?: Partial<WorldOptions> }
> = {
  'deliveries not asked': { breaks: /^once/, runs: 30 },
  'store unfenced': { breaks: /^fencing/, runs: 30 },
  'log unfenced': { breaks: /^fencing/, runs: 30 },
  'no claim': { breaks: /^fencing/, runs: 30, options: { fencing: 'token' } },
  'stale owner sends': {
    breaks: /^once/,
    runs: 60,
    options: { faults: new Set(['pause', 'partition', 'slow service']) },
  },
  'no deduplication': { breaks: /^acknowledged/, runs: 30 },
  'new id for each retry': { breaks: /^acknowledged/, runs: 30 },
  'acknowledged too early': { breaks: /^acknowledged/, runs: 40, from: 100 },
  'owner asks for ever': {
    breaks: /^twice/,
    runs: 40,
    from: 100,
    options: {
      fencing: 'token',
      domain: 'toy',
      reportCount: 30,
      faultyMs: 140_000,
      faults: new Set(['partition']),
    },
  },
  'timer fires early': { breaks: /^early/, runs: 30 },
  'checkpoint before its rows': {
    breaks: /^history/,
    runs: 30,
    options: { faults: new Set(['partition', 'crash', 'loss']) },
  },
  'checkpoint on any base': {
    breaks: /^(?:fold|state)/,
    runs: 40,
    from: 340,
    options: { domain: 'product', faults: new Set(['duplicate', 'delay', 'reorder', 'slow service']) },
  },
  'token of the store': {
    breaks: /^fencing/,
    runs: 60,
    options: { faults: new Set(['store wiped', 'partition', 'loss', 'answer lost', 'slow service']) },
  },
  'no patience': { breaks: /^once/, runs: 60, from: 400 },
  'fact id without token': {
    breaks: /^fencing/,
    runs: 60,
    from: 100,
    options: {
      fencing: 'sequence',
      domain: 'toy',
      faults: new Set(['pause', 'partition', 'loss', 'slow service']),
    },
  },
};

test.each(Object.keys(defects) as Defect[])('it finds: %s', async (defect) => {
  const { breaks, runs, from = 1, options } = teeth[defect];
  const found = await firstFailure(from, runs, { ...options, defect });
  expect(found?.violations.some((violation) => breaks.test(violation))).toBe(true);
});

test('a run that went wrong is made smaller, and goes wrong in the same way', async () => {
  const failed = (await firstFailure(1, 30, { defect: 'new id for each retry' }))!;
  const smallest = await shrink(failed);
  expect(smallest.violations[0]).toMatch(/^acknowledged/);
  expect(smallest.options.faults.size).toBeLessThan(failed.options.faults.size);
  expect(smallest.options.reportCount).toBeLessThanOrEqual(failed.options.reportCount);
  const again = await simulate(smallest.options);
  expect(again.traceHash).toBe(smallest.traceHash);
});

/** Runs that once broke an invariant, by what was wrong then. They follow the model: where that changes, so do they. */
test.each([
  ['the order of verdicts was another after a restart', 107],
  ['a page that had given way was sent after the later one', 934],
  ['of an incident, the older page was sent after the newer', 1558],
])('what it found stays right: %s', async (_, seed) => {
  expect((await simulate(optionsOf(seed, { domain: 'product' }))).violations).toEqual([]);
});

test('a summary counts what happened', async () => {
  const summary = new Summary();
  const run = await simulate(optionsOf(1));
  summary.add(run);
  expect(summary.text()).toContain(`entries in the logs     ${run.entryCount}`);
  expect(summary.text()).toMatch(/loss +\d+/);
});

async function firstFailure(
  from: number,
  runs: number,
  overrides: Partial<WorldOptions>,
): Promise<Run | undefined> {
  for (let seed = from; seed < from + runs; seed++) {
    const run = await simulate(optionsOf(seed, overrides));
    if (run.violations.length > 0) return run;
  }
  return undefined;
}
