/**
 * Runs the engine on simulated machines, again and again under other misfortune: `npm run simulate`.
 *
 *   --runs <n>            how many runs; 1000 unless said otherwise
 *   --seed <n>            the first seed, each run has the next; by the time of day unless said otherwise
 *   --trace               prints all that happened in each run, and its hash: the same seed gives the same
 *   --fencing <how>       sequence or token, instead of one of them by seed
 *   --defect <name>       builds a mistake in, see defects.ts
 *
 * Ends with 1 at the first run that breaks an invariant, after looking for a smaller one that does the same.
 */
import { parseArgs } from 'node:util';
import { defects, type Defect } from './defects.ts';
import { describeFailure, Summary } from './report.ts';
import { shrink } from './shrink.ts';
import { optionsOf, simulate, type Run } from './simulate.ts';
import type { WorldOptions } from './world.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1000' },
    seed: { type: 'string' },
    trace: { type: 'boolean', default: false },
    fencing: { type: 'string' },
    defect: { type: 'string' },
  },
});

const runCount = wholeNumber('runs', values.runs);
const firstSeed = values.seed === undefined ? Date.now() : wholeNumber('seed', values.seed);
const { fencing, defect } = values;
if (fencing !== undefined && fencing !== 'sequence' && fencing !== 'token')
  refuse(`--fencing is sequence or token, not ${fencing}`);
if (defect !== undefined && !(defect in defects))
  refuse(`--defect is one of: ${Object.keys(defects).join(', ')}`);
const overrides: Partial<WorldOptions> = {
  ...(fencing === undefined ? {} : { fencing }),
  ...(defect === undefined ? {} : { defect: defect as Defect }),
};

const summary = new Summary();
let failed: Run | null = null;
for (let seed = firstSeed; seed < firstSeed + runCount && !failed; seed++) {
  const run = await simulate(optionsOf(seed, overrides));
  summary.add(run);
  if (values.trace) console.log(`${run.trace.join('\n')}\ntrace ${run.traceHash}`);
  if (run.violations.length > 0) failed = run;
}
console.log(`seeds ${firstSeed} and on\n${summary.text()}`);
if (failed) {
  console.log(describeFailure(failed, await shrink(failed), 60));
  process.exitCode = 1;
} else console.log('No invariant was broken.');

function wholeNumber(name: string, text: string): number {
  if (!/^\d{1,15}$/.test(text)) refuse(`--${name} is a whole number, not ${text}`);
  return Number(text);
}

function refuse(message: string): never {
  console.error(message);
  process.exit(2);
}
