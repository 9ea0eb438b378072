import { Redis } from 'ioredis';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { loadConfig } from '../../src/app/config-file.ts';
import { errorCodes } from '../../src/engine/index.ts';
import { freePort } from '../support/port.ts';
import { findBinary, serverCommand, testServers } from '../support/servers.ts';

const root = new URL('../../', import.meta.url).pathname;
const read = (file: string): string => readFileSync(join(root, file), 'utf8');

interface Service {
  readonly image: string;
  readonly command?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly restart: string;
  readonly stop_grace_period: string;
  readonly healthcheck: { readonly test: readonly string[] };
  readonly volumes?: readonly string[];
  readonly secrets?: readonly string[];
  readonly networks: readonly string[];
  readonly ports?: readonly string[];
}

interface ComposeFile {
  readonly services: Record<string, Service>;
  readonly volumes: Record<string, null>;
  readonly secrets: Record<string, { readonly file: string }>;
}

const compose = parse(read('docker-compose.yml'), { merge: true }) as ComposeFile;
const services = Object.entries(compose.services);
const tocsin = services.filter(([name]) => /^(?:gateway|owner)-/.test(name));

describe('docker-compose.yml', () => {
  test('has two gateways, two owners and the servers', () => {
    expect(Object.keys(compose.services)).toEqual([
      'gateway-1',
      'gateway-2',
      'owner-1',
      'owner-2',
      'nats',
      'redis',
      'clickhouse',
    ]);
  });

  test.each(services)(
    '%s: its image has an exact version, and it comes back and ends in order',
    (_, service) => {
      expect(service.image.replace(/^\$\{\w+:-(.+)\}$/, '$1')).toMatch(/:\d+\.\d+\.\d+/);
      expect(service.restart).toBe('unless-stopped');
      expect(service.stop_grace_period).toMatch(/^\d+s$/);
      expect(service.healthcheck.test.length).toBeGreaterThan(1);
    },
  );

  test.each(services)('%s: what it mounts and the secrets that it reads are there', (_, service) => {
    for (const volume of service.volumes ?? []) {
      const [from = ''] = volume.split(':');
      if (from.startsWith('.')) expect(existsSync(join(root, from)), from).toBe(true);
      else expect(Object.keys(compose.volumes)).toContain(from);
    }
    for (const secret of service.secrets ?? []) expect(Object.keys(compose.secrets)).toContain(secret);
    const command = JSON.stringify([service.entrypoint, service.command, service.healthcheck]);
    for (const [, secret = ''] of command.matchAll(/\/run\/secrets\/(\w+)/g))
      expect(service.secrets).toContain(secret);
  });

  test('secrets are files that no commit and no image takes along', () => {
    for (const { file } of Object.values(compose.secrets)) {
      expect(file).toMatch(/^\.\/deploy\/secrets\//);
      expect(spawnSync('git', ['check-ignore', '-q', file], { cwd: root }).status).toBe(0);
    }
    expect(read('.dockerignore')).toMatch(/^\*$/m);
    expect(read('.dockerignore')).not.toContain('deploy');
  });

  test('only gateways can be reached from outside, and only where they listen', () => {
    for (const [name, { ports }] of services) {
      if (!name.startsWith('gateway')) expect(ports).toBeUndefined();
      else expect(ports?.[0]).toMatch(/^\$\{TOCSIN_BIND:-127\.0\.0\.1\}:\d+:9093$/);
    }
  });

  test.each(tocsin)(
    '%s: is asked whether it is ready where it listens, as the image is',
    async (_, service) => {
      const file = service.command?.at(-1)?.replace('/etc/tocsin/', 'deploy/tocsin/') ?? '';
      const outcome = await loadConfig({ configFile: join(root, file) });
      if (!outcome.ok) throw new Error(outcome.errors.join('\n'));
      const [, port] = /:(\d+)$/.exec(outcome.config.server.listen) ?? [];
      const code = service.healthcheck.test.at(-1);
      expect(code).toContain(`http://127.0.0.1:${port}/-/ready`);
      expect(read('Dockerfile')).toContain(code);
      for (const [, secret = ''] of read(file).matchAll(/\/run\/secrets\/(\w+)/g))
        expect(service.secrets).toContain(secret);
    },
  );
});

describe('the configurations', () => {
  test.each(['gateway', 'owner'])('%s.yml has no mistake, and nothing to be warned of', async (role) => {
    const outcome = await loadConfig({ configFile: join(root, `deploy/tocsin/${role}.yml`) });
    expect(outcome).toMatchObject({ ok: true, warnings: [], config: { fleet: { roles: [role] } } });
  });

  test('gateways and owners agree on the fleet, and the logs of all partitions have room', () => {
    const [gateway, owner] = ['gateway', 'owner'].map(
      (role) => (parse(read(`deploy/tocsin/${role}.yml`)) as { fleet: Record<string, unknown> }).fleet,
    );
    expect({ ...gateway, roles: [] }).toEqual({ ...owner, roles: [] });
    const { partitions, log } = owner as unknown as { partitions: number; log: { max_mib: number } };
    for (const file of ['deploy/nats.conf', 'deploy/nats-cluster.conf']) {
      const [, gigabytes] = /max_file_store: (\d+)GB/.exec(read(file)) ?? [];
      expect(partitions * log.max_mib * 2 ** 20).toBeLessThan(Number(gigabytes) * 2 ** 30);
    }
  });

  test.each(['nats.conf', 'nats-cluster.conf'])('nats-server takes %s', (name) => {
    const [command, ...first] = serverCommand(testServers.nats, join(root, 'deploy'));
    const folder = mkdtempSync(join(tmpdir(), 'tocsin-deploy-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, name);
    // Unknown to servers before 2.10, which is what Debian has.
    writeFileSync(file, read(`deploy/${name}`).replace(/^ *sync_interval: always\n/m, ''));
    const { status, stderr } = spawnSync(command, [...first, '-t', '-c', file], {
      encoding: 'utf8',
      env: {
        ...process.env,
        NATS_PASSWORD: "'12'",
        NATS_NAME: 'a',
        NATS_ROUTES: "['nats://route:12@b:6222']",
      },
    });
    expect([status, stderr]).toEqual([0, expect.stringContaining('is valid')]);
  });

  test('redis-server takes redis.conf, asks for the password, and keeps what it is given', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tocsin-deploy-'));
    const port = await freePort();
    writeFileSync(join(folder, 'auth.conf'), 'requirepass secret\n');
    const text = read('deploy/redis.conf')
      .replace('port 6379', `port ${port}\nbind 127.0.0.1\ndaemonize no`)
      .replace('/data', folder)
      .replace('/run/redis', folder);
    writeFileSync(join(folder, 'redis.conf'), text);
    const [command, ...first] = serverCommand(testServers.redis, folder);
    const server = spawn(command, [...first, join(folder, 'redis.conf')], { stdio: 'ignore' });
    const redis = new Redis({
      port,
      password: 'secret',
      retryStrategy: () => 20,
      maxRetriesPerRequest: null,
    });
    redis.on('error', () => undefined);
    onTestFinished(async () => {
      redis.disconnect();
      const exited = new Promise((resolve) => server.once('exit', resolve));
      server.kill('SIGKILL');
      await exited;
      rmSync(folder, { recursive: true });
    });
    expect(await redis.config('GET', 'appendonly')).toEqual(['appendonly', 'yes']);
    expect(await redis.config('GET', 'maxmemory-policy')).toEqual(['maxmemory-policy', 'noeviction']);
    const stranger = new Redis({ port, lazyConnect: true, maxRetriesPerRequest: 0 });
    stranger.on('error', () => undefined);
    await expect(stranger.get('x')).rejects.toThrow('NOAUTH');
    stranger.disconnect();
  });
});

describe('what operators read', () => {
  const metrics = new Set(
    [
      'src/app/telemetry.ts',
      'src/app/common-gauges.ts',
      'src/app/fleet/gauges.ts',
      'src/app/nats-link.ts',
      'src/app/gauges.ts',
    ]
      .map(read)
      .flatMap((text) =>
        [...text.matchAll(/\b(?:tocsin|nodejs|process)_[a-z_]+[a-z]\b/g)].map(([name]) => name),
      ),
  );

  test.each(['deploy/prometheus-rules.yml', 'docs/operations.md'])(
    '%s names metrics that there are',
    (file) => {
      const named = [
        ...read(file).matchAll(/\b(?:tocsin|nodejs|process)_[a-z_]+_[a-z]+\b|\btocsin_trouble\b/g),
      ].map(([name]) => name);
      expect(named.length).toBeGreaterThan(5);
      expect(named.filter((name) => !metrics.has(name))).toEqual([]);
    },
  );

  test('the runbook names codes that there are, and each rule leads to one of its headings', () => {
    const page = read('docs/operations.md');
    const codes = [...page.matchAll(/\bTOC_[A-Z_]+\b/g)].map(([code]) => code);
    expect(codes.filter((code) => !(code in errorCodes))).toEqual([]);
    const headings = [...page.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
      title
        .toLowerCase()
        .replaceAll(/[^a-z0-9 -]/g, '')
        .replaceAll(' ', '-'),
    );
    const { groups } = parse(read('deploy/prometheus-rules.yml')) as {
      groups: { rules: { annotations: { runbook: string } }[] }[];
    };
    for (const { annotations } of groups.flatMap(({ rules }) => rules)) {
      const [file, heading] = annotations.runbook.split('#');
      expect(file).toBe('docs/operations.md');
      expect(headings).toContain(heading);
    }
  });

  test.skipIf(!findBinary('promtool'))('promtool takes the rules', () => {
    const { status, stdout, stderr } = spawnSync(
      'promtool',
      ['check', 'rules', 'deploy/prometheus-rules.yml'],
      {
        cwd: root,
        encoding: 'utf8',
      },
    );
    expect([status, stdout + stderr]).toEqual([0, expect.stringContaining('SUCCESS')]);
  });
});
