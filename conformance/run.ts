/**
 * Runs Alertmanager's own acceptance tests against `bin/tocsin-alertmanager`: `npm run conformance`.
 *
 *   --run <regex>    only tests whose name matches
 *   --repeat <n>     how often each suite runs; 3 unless said otherwise
 *   --stock          against Debian's Alertmanager instead, which shows that the method works
 *   --verbose        everything that the suites print, not only of those that fail
 *
 * The suites come from Debian's packages and are built in a temporary folder. `TestMatchers` is ours: it compares matchers on every text of the tests in `pkg/labels`, with Alertmanager's own parser as the judge.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { provideSuites } from './debian.ts';
import { compareMatchers } from './matchers.ts';
import { buildSuites, provideBinaries, runSuite, type Suite } from './suites.ts';

const { values: options } = parseArgs({
  options: {
    run: { type: 'string', default: '.' },
    repeat: { type: 'string', default: '3' },
    stock: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
  },
});

provideSuites();
const folder = mkdtempSync(join(tmpdir(), 'tocsin-conformance-'));
try {
  provideBinaries(folder, options.stock ? 'stock' : 'tocsin');
  const suites = buildSuites(folder)
    .map(withWantedTests)
    .filter(({ tests }) => tests.length > 0);
  if (!options.stock && new RegExp(options.run).test('TestMatchers')) reportMatchers();
  for (let round = 1; round <= Number(options.repeat); round++) {
    for (const suite of suites) await report(suite, round);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function withWantedTests(suite: Suite): Suite {
  const wanted = new RegExp(options.run);
  return { ...suite, tests: suite.tests.filter((test) => wanted.test(test)) };
}

function reportMatchers(): void {
  const { sameCount, newerCount, differences } = compareMatchers(folder);
  console.log('\nmatchers');
  for (const difference of differences) console.log(`  FAILED  ${difference}`);
  console.log(
    `  ${differences.length === 0 ? 'passed' : 'FAILED'}  TestMatchers: ${sameCount} texts of pkg/labels are read alike,`,
  );
  console.log(
    `          ${differences.length} otherwise, ${newerCount} only by the grammar of 0.27 and later`,
  );
  if (differences.length > 0) process.exitCode = 1;
}

async function report(suite: Suite, round: number): Promise<void> {
  const lines: string[] = [];
  const results = await runSuite(suite, suite.tests, folder, (line) => lines.push(line));
  const failed = results.filter(({ passed }) => !passed);
  if (failed.length > 0 || options.verbose) console.log(lines.join('\n'));
  console.log(`\n${suite.name}, run ${round} of ${options.repeat}`);
  for (const { test, passed } of results) console.log(`  ${passed ? 'passed' : 'FAILED'}  ${test}`);
  console.log(`  ${results.length - failed.length} of ${results.length} passed`);
  if (failed.length > 0) process.exitCode = 1;
}
