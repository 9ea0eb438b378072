import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** Where Debian's Go packages put their sources. */
export const goSources = '/usr/share/gocode';

/** Alertmanager's own sources, with its tests. */
export const alertmanagerSources = `${goSources}/src/github.com/prometheus/alertmanager`;

/** What has to be there, and the Debian package that brings it. */
const needed = [
  { file: `${alertmanagerSources}/test`, aptPackage: 'golang-github-prometheus-alertmanager-dev' },
  { file: '/usr/bin/go', aptPackage: 'golang-go' },
  { file: '/usr/bin/amtool', aptPackage: 'prometheus-alertmanager' },
] as const;

/**
 * Installs the Debian packages with Alertmanager's test suites, the Go compiler and amtool where they are missing. Throws, and says what to
 * install, where that is not possible.
 */
export function provideSuites(): void {
  const missing = needed.filter(({ file }) => !existsSync(file)).map(({ aptPackage }) => aptPackage);
  if (missing.length === 0) return;
  console.log(`Installing ${missing.join(', ')} ...`);
  const asRoot = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  const isInstalled = [
    ['update', '-qq'],
    ['install', '-y', '-qq', '--no-install-recommends', ...missing],
  ].every((args) => {
    const [command = '', ...rest] = [...asRoot, 'apt-get', ...args];
    return spawnSync(command, rest, { stdio: ['ignore', 'ignore', 'inherit'] }).status === 0;
  });
  if (isInstalled) return;
  throw new Error(
    `The conformance suites come from Debian's packages. Install them on a Debian or Ubuntu system: sudo apt-get install ${missing.join(' ')}`,
  );
}
