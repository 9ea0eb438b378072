import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { matcherToString, parseMatchers } from '../src/alert/index.ts';
import { alertmanagerSources, goSources } from './debian.ts';

/** What `oracle/main.go` prints of one text. */
interface Verdict {
  readonly input: string;
  readonly error: string;
  readonly matchers: readonly {
    readonly name: string;
    readonly value: string;
    readonly isRegex: boolean;
    readonly isEqual: boolean;
    readonly text: string;
  }[];
  readonly matches: readonly boolean[];
}

export interface MatcherReport {
  readonly sameCount: number;
  /** Texts that Alertmanager 0.25 refuses and the grammar of 0.27, which Tocsin reads too, takes. */
  readonly newerCount: number;
  readonly differences: readonly string[];
}

/** The same values as in the oracle, in the same order. */
const probes = ['', 'bar', 'foo-bar', 'foobar', 'bar\n', 'b\nr', 'Bar', 'äöü', '0', 'a,b'];

/** Compares Tocsin's matchers with Alertmanager's on every text in the tests of its `pkg/labels`, read from the installed sources. */
export function compareMatchers(folder: string): MatcherReport {
  const binary = join(folder, 'matchers-oracle');
  const build = spawnSync(
    'go',
    ['build', '-o', binary, new URL('oracle/main.go', import.meta.url).pathname],
    {
      cwd: folder,
      env: {
        ...process.env,
        GO111MODULE: 'off',
        GOPATH: goSources,
        GOFLAGS: '',
        GOCACHE: join(folder, 'go-cache'),
      },
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  if (build.status !== 0) throw new Error('the oracle for matchers could not be built');
  const { stdout } = spawnSync(binary, [join(alertmanagerSources, 'pkg/labels')], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  const verdicts = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Verdict);
  if (verdicts.length === 0) throw new Error('the oracle for matchers said nothing');
  let sameCount = 0;
  let newerCount = 0;
  const differences: string[] = [];
  for (const verdict of verdicts) {
    const ours = JSON.stringify(readOurs(verdict.input));
    const theirs = JSON.stringify(
      verdict.error === '' ? { matchers: verdict.matchers, matches: verdict.matches } : null,
    );
    if (ours === theirs) sameCount++;
    else if (verdict.error !== '') newerCount++;
    else differences.push(`${JSON.stringify(verdict.input)}\n    theirs ${theirs}\n    ours   ${ours}`);
  }
  return { sameCount, newerCount, differences };
}

function readOurs(input: string): unknown {
  const parsed = parseMatchers(input);
  if (!parsed.ok) return null;
  return {
    matchers: parsed.matchers.map((matcher) => {
      const { name, value, isRegex, isEqual } = matcher;
      return { name, value, isRegex, isEqual, text: matcherToString(matcher) };
    }),
    matches: probes.map((probe) => parsed.matchers.every((matcher) => matcher.matches(probe))),
  };
}
