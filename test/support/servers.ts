/**
 * Gets the real servers that integration tests start themselves: `nats-server` and `redis-server` on the path, or Docker images, and from
 * the system's packages Alertmanager (with amtool) and Prometheus, against which Tocsin is compared. Where those two cannot be
 * had, the comparisons are left out.
 *
 * Called by `npm test` before the tests. In this order: what is already on the path; Docker, where an engine answers (the
 * images are pulled, tests run them with `--network host`); the system's packages (`apt-get`, as root or by `sudo -n`); else a
 * message that says what to install. `TOCSIN_TEST_SERVERS=skip` leaves everything as it is.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';

export interface TestServer {
  readonly binary: string;
  /** Debian's package. */
  readonly aptPackage: string;
  /** Null where the tests need more of it than its port. */
  readonly image: string | null;
}

export const testServers = {
  nats: { binary: 'nats-server', aptPackage: 'nats-server', image: 'nats:2.15' },
  alertmanager: { binary: 'prometheus-alertmanager', aptPackage: 'prometheus-alertmanager', image: null },
  prometheus: { binary: 'prometheus', aptPackage: 'prometheus', image: null },
  redis: { binary: 'redis-server', aptPackage: 'redis-server', image: 'redis:7' },
} as const satisfies Record<string, TestServer>;

/** Where the binary is, or null. Debian puts `nats-server` into /usr/sbin, which is not on every path. */
export function findBinary(name: string): string | null {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin', '/sbin'];
  for (const folder of folders) {
    const file = join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      continue;
    }
  }
  return null;
}

/**
 * The command that starts a server: its binary, or Docker with the host's network. `folder` is one that the server works in. Throws
 * when neither is there.
 */
export function serverCommand(
  { binary, image, aptPackage }: TestServer,
  folder?: string,
): readonly [command: string, ...args: string[]] {
  const file = findBinary(binary);
  if (file) return [file];
  if (image !== null && dockerAnswers()) {
    const volume = folder === undefined ? [] : ['--volume', `${folder}:${folder}`];
    return ['docker', 'run', '--rm', '--network', 'host', ...volume, image, binary];
  }
  throw new Error(
    `${binary} is not installed: run \`node test/support/servers.ts\`, or install the package ${aptPackage}`,
  );
}

function dockerAnswers(): boolean {
  return spawnSync('docker', ['info'], { stdio: 'ignore', timeout: 10_000 }).status === 0;
}

function installPackages(packages: readonly string[]): boolean {
  if (!findBinary('apt-get')) return false;
  const asRoot = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const run = (...args: string[]): boolean => {
    const [command = '', ...rest] = [...asRoot, 'apt-get', ...args];
    return (
      spawnSync(command, rest, { stdio: ['ignore', 'ignore', 'inherit'], env: environment }).status === 0
    );
  };
  return run('update', '-qq') && run('install', '-y', '-qq', '--no-install-recommends', ...packages);
}

function provide(): number {
  if (process.env['TOCSIN_TEST_SERVERS'] === 'skip') return 0;
  const all: readonly TestServer[] = Object.values(testServers);
  const missing = all.filter(({ binary }) => findBinary(binary) === null);
  if (missing.length === 0) return 0;
  const inDocker = missing.flatMap(({ image }) => (image === null ? [] : [image]));
  if (inDocker.length > 0 && dockerAnswers()) {
    const pulls = inDocker.map(
      (image) => spawnSync('docker', ['pull', '-q', image], { stdio: 'inherit' }).status === 0,
    );
    if (pulls.every(Boolean)) {
      console.log(`Tests will run ${inDocker.join(', ')} in Docker.`);
      return installed(missing.filter(({ image }) => image === null));
    }
  }
  return installed(missing);
}

/** Installs from the system's packages. Gives the exit code: 1 when something is missing that no test may go without. */
function installed(missing: readonly TestServer[]): number {
  if (missing.length === 0) return 0;
  const names = missing.map(({ binary }) => binary).join(', ');
  const packages = missing.map(({ aptPackage }) => aptPackage);
  console.log(`Installing ${names} from the system's packages for the integration tests ...`);
  if (installPackages(packages)) return 0;
  if (missing.every(({ image }) => image === null)) {
    console.log(
      `Without ${names} Tocsin is not compared with them (Debian, Ubuntu: apt-get install ${packages.join(' ')}).`,
    );
    return 0;
  }
  console.error(
    `The integration tests need ${names}. Neither Docker nor apt-get (as root) could bring them.\n` +
      `Install them (Debian, Ubuntu: sudo apt-get install ${packages.join(' ')}) and run npm test again,\n` +
      `or start Docker and run npm test again.`,
  );
  return 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) process.exitCode = provide();
