import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { findBinary, testServers } from '../test/support/servers.ts';

/**
 * The first version that was seen to keep what it acknowledged on three servers when the leader of a stream stood still for 8 s: 2.9.10
 * lost entries nearly each time, 2.10.27 now and then.
 */
const sound = [2, 15] as const;
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
const cache = new URL('../node_modules/.cache/tocsin/nats-server/', import.meta.url).pathname;

/**
 * Puts a NATS server that keeps streams on several servers soundly first on the path: the one that is installed, or, where that is older,
 * the package of Debian's next release, which is unpacked for this alone. Gives the version, and whether it is sound.
 */
export function provideNatsServer(): { readonly version: string; readonly isSound: boolean } {
  const { binary } = testServers.nats;
  const installed = versionOf(findBinary(binary));
  if (isSound(installed)) return { version: installed!.join('.'), isSound: true };
  const unpacked = join(cache, 'usr/sbin', binary);
  if (!existsSync(unpacked)) unpackNext();
  const next = versionOf(existsSync(unpacked) ? unpacked : null);
  if (!isSound(next)) return { version: installed?.join('.') ?? 'unknown', isSound: false };
  process.env['PATH'] = dirname(unpacked) + delimiter + process.env['PATH'];
  return { version: next!.join('.'), isSound: true };
}

function versionOf(file: string | null): number[] | null {
  if (file === null) return null;
  const { stdout } = spawnSync(file, ['--version'], { encoding: 'utf8' });
  const [, version] = /v(\d+\.\d+\.\d+)/.exec(stdout) ?? [];
  return version?.split('.').map(Number) ?? null;
}

function isSound(version: readonly number[] | null): boolean {
  const [major = 0, minor = 0] = version ?? [];
  return major > sound[0] || (major === sound[0] && minor >= sound[1]);
}

/** By lists of its own, from where the system has its packages from: what the system installs stays as it is. */
function unpackNext(): void {
  if (!findBinary('apt-get') || !existsSync(keyring)) return;
  for (const folder of ['lists/partial', 'archives/partial'])
    mkdirSync(join(cache, folder), { recursive: true });
  const sources = join(cache, 'sources.list');
  const settings = [
    ['Dir::Etc::sourcelist', sources],
    ['Dir::Etc::sourceparts', '-'],
    ['Dir::State::lists', join(cache, 'lists')],
    ['Dir::Cache', cache],
    ['APT::Sandbox::User', ''],
  ].flatMap(([key, value]) => ['-o', `${key}=${value}`]);
  const run = (command: string, ...args: readonly string[]): string | null => {
    const options = { cwd: cache, encoding: 'utf8', timeout: 120_000 } as const;
    const { status, stdout } = spawnSync(command, args, options);
    return status === 0 ? stdout : null;
  };
  const targets = run('apt-get', 'indextargets', '--format', '$(LABEL) $(REPO_URI)', 'Created-By: Packages');
  const [, uri] = /^Debian (\S+)$/m.exec(targets ?? '') ?? [];
  if (uri === undefined) return;
  writeFileSync(sources, `deb [signed-by=${keyring}] ${uri} testing main\n`);
  if (run('apt-get', '-qq', ...settings, 'update') === null) return;
  if (run('apt-get', '-qq', ...settings, 'download', testServers.nats.aptPackage) === null) return;
  const file = readdirSync(cache).find((name) => name.endsWith('.deb'));
  if (file !== undefined) run('dpkg', '-x', file, cache);
}
