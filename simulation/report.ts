import { faultKinds, noFaults } from './faults.ts';
import type { Run } from './simulate.ts';
import { brokenMark } from './trace.ts';

/** What many runs came to. */
export class Summary {
  readonly #faultCounts = noFaults();
  readonly #beganMs = performance.now();
  #runCount = 0;
  #productCount = 0;
  #entryCount = 0;
  #receivedCount = 0;
  #repeatCount = 0;
  #sessionCount = 0;
  #slowestMs = 0;

  add(run: Run): void {
    this.#runCount++;
    if (run.options.domain === 'product') this.#productCount++;
    this.#entryCount += run.entryCount;
    this.#receivedCount += run.receivedCount;
    this.#repeatCount += run.repeatCount;
    this.#sessionCount += run.sessionCount;
    this.#slowestMs = Math.max(this.#slowestMs, run.settledAfterMs);
    for (const kind of faultKinds) this.#faultCounts[kind] += run.faultCounts[kind];
  }

  text(): string {
    const minutes = (performance.now() - this.#beganMs) / 60_000;
    return [
      `runs                    ${this.#runCount} (${this.#productCount} with the stages of the product), ${Math.round(this.#runCount / minutes)} a minute`,
      `entries in the logs     ${this.#entryCount}`,
      `leases granted          ${this.#sessionCount}`,
      `effects received        ${this.#receivedCount}, and ${this.#repeatCount} times again under the same key`,
      `slowest to settle       ${(this.#slowestMs / 1000).toFixed(1)} simulated seconds after the last fault`,
      'faults that struck',
      ...faultKinds.map((kind) => `  ${kind.padEnd(22)}${this.#faultCounts[kind]}`),
    ].join('\n');
  }
}

/** What machines ask again and again while nothing happens. */
const routine = /> (?:log: (?:read|head)|store: (?:renew|lease))/;

/** What went wrong in a run, and how it came to that; `lineCount` limits the trace to its last lines. */
export function describeFailure(failed: Run, smallest: Run, lineCount: number): string {
  const { options, trace } = smallest;
  const end = trace.findIndex((line) => line.includes(` ${brokenMark} `));
  const events = trace.slice(0, end + 1).filter((line) => !routine.test(line));
  const shown = events.slice(-lineCount);
  return [
    `seed ${failed.options.seed} breaks an invariant (${options.domain} stages, fencing by ${options.fencing}):`,
    ...failed.violations.slice(0, 5).map((violation) => `  ${violation}`),
    `The smallest run found that does so has ${options.reportCount} reports, ${options.ownerCount} owners, ${options.gatewayCount} gateways, ${Math.round(options.faultyMs / 1000)} s and these faults: ${[...options.faults].join(', ') || 'none'}.`,
    `The last ${shown.length} of the ${events.length} events up to there, without what is asked all the time:`,
    ...shown.map((line) => `  ${line}`),
    `Again: npm run simulate -- --seed ${failed.options.seed} --runs 1 --trace`,
  ].join('\n');
}
