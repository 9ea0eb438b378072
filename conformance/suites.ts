import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { alertmanagerSources, goSources } from './debian.ts';

/** One of Alertmanager's acceptance suites, built. */
export interface Suite {
  readonly name: string;
  readonly binary: string;
  readonly tests: readonly string[];
}

export interface TestResult {
  readonly test: string;
  readonly passed: boolean;
}

const suitePackages = [
  { name: 'with_api_v2', path: 'test/with_api_v2/acceptance' },
  { name: 'cli', path: 'test/cli/acceptance' },
] as const;

/** Flags that Debian's build has and that its suites give. Neither Alertmanager's own build nor Tocsin knows them. */
const debianFlags = ['--template.default', '--web.ui-path'];

/** The server under test. */
export type Subject = 'tocsin' | 'stock';

/** Builds the suites in `folder`, out of their installed sources. Throws when the compiler does not succeed. */
export function buildSuites(folder: string): Suite[] {
  return suitePackages.map(({ name, path }) => {
    const binary = join(folder, `${name}.test`);
    const build = spawnSync('go', ['test', '-c', '-o', binary, '.'], {
      cwd: join(alertmanagerSources, path),
      env: {
        ...process.env,
        GO111MODULE: 'off',
        GOPATH: goSources,
        GOFLAGS: '',
        GOCACHE: join(folder, 'go-cache'),
      },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    if (build.status !== 0) throw new Error(`the suite ${name} could not be built`);
    const list = spawnSync(binary, ['-test.list', '.'], { encoding: 'utf8', env: suiteEnvironment(folder) });
    return { name, binary, tests: list.stdout.split('\n').filter((line) => line.startsWith('Test')) };
  });
}

/** Puts the server under test, and amtool, where the suites look for them. Must be called before `buildSuites`. */
export function provideBinaries(folder: string, subject: Subject): void {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  symlinkSync('/usr/bin/amtool', join(bin, 'amtool'));
  const file = join(bin, 'prometheus-alertmanager');
  const server = subject === 'stock' ? '/usr/bin/prometheus-alertmanager' : providePackage(folder);
  writeFileSync(file, wrapper(server));
  chmodSync(file, 0o755);
}

/** Unpacks in `folder` what `npm pack` would ship, beside this project's packages. Returns the command of its entry. */
function providePackage(folder: string): string {
  const root = new URL('..', import.meta.url).pathname;
  const pack = spawnSync('npm', ['pack', '--silent', '--pack-destination', folder], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const archive = pack.stdout.trim().split('\n').at(-1) ?? '';
  const unpack = spawnSync('tar', ['xzf', join(folder, archive), '-C', folder], { stdio: 'inherit' });
  if (pack.status !== 0 || unpack.status !== 0) throw new Error('the package could not be made');
  symlinkSync(join(root, 'node_modules'), join(folder, 'package', 'node_modules'));
  const entry = join(folder, 'package', 'bin', 'tocsin-alertmanager.js');
  // As on a machine where it has run before: what is compiled is kept.
  spawnSync(process.execPath, [entry, '--version']);
  return `${process.execPath} ${entry}`;
}

/** A shell script without forks: what it costs would count as the server's start. */
function wrapper(server: string): string {
  return `#!/bin/sh
count=$#
while [ "$count" -gt 0 ]; do
  case "$1" in
    ${debianFlags.join('|')}) shift 2; count=$((count - 2)) ;;
    *) set -- "$@" "$1"; shift; count=$((count - 1)) ;;
  esac
done
exec ${server} "$@"
`;
}

/** Runs the tests of a suite by name. Calls `onLine` for each line that the suite prints. */
export async function runSuite(
  suite: Suite,
  tests: readonly string[],
  folder: string,
  onLine: (line: string) => void,
): Promise<TestResult[]> {
  const child = spawn(suite.binary, ['-test.v', '-test.run', `^(?:${tests.join('|')})$`], {
    cwd: folder,
    env: suiteEnvironment(folder),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const passed = new Map(tests.map((test) => [test, false]));
  for await (const line of createInterface({ input: child.stdout })) {
    const result = /^--- (PASS|FAIL): (\w+)/.exec(line);
    if (result) passed.set(result[2]!, result[1] === 'PASS');
    onLine(line);
  }
  await exited;
  return tests.map((test) => ({ test, passed: passed.get(test) ?? false }));
}

function suiteEnvironment(folder: string): NodeJS.ProcessEnv {
  return { ...process.env, GOPATH: folder };
}
