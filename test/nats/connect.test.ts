import { nkeys } from '@nats-io/transport-node';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connectNats, natsConnectionConfig, type NatsConnection } from '../../src/nats/index.ts';
import { Authority } from '../support/certificates.ts';
import { createJwtRealm } from '../support/nats-jwt.ts';
import { startNats, startNatsConfigured, type NatsServer } from '../support/nats.ts';

let folder: string;
let server: NatsServer | null = null;
let connection: NatsConnection | null = null;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tocsin-nats-'));
});
afterEach(async () => {
  await connection?.close();
  await server?.stop();
  connection = server = null;
  await rm(folder, { recursive: true, force: true });
});

async function fileOf(name: string, text: string): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, text);
  return file;
}

/** Connects with `options`, and asks the server something; the server on loopback unless `servers` says otherwise. */
async function connectWith(options: object): Promise<void> {
  const config = natsConnectionConfig.parse({ servers: [server?.url ?? '127.0.0.1:1'], ...options });
  connection = await connectNats(config, 'tocsin-test');
  await connection.flush();
}

/** Gives what resolves with the next status of a type. */
function watch(link: NatsConnection): (wanted: string) => Promise<void> {
  const statuses = link.status()[Symbol.asyncIterator]();
  return async (wanted) => {
    for (;;) {
      const { done, value } = await statuses.next();
      if (done === true) throw new Error(`the client closed before ${wanted}`);
      if (value.type === wanted) return;
    }
  };
}

const refused = { code: 'TOC_NATS_UNAVAILABLE', message: expect.stringContaining('refuses the credentials') };

describe('authentication', () => {
  test('by user and password file', async () => {
    server = await startNatsConfigured(folder, 'authorization { user: tocsin, password: "open sesame" }');
    await expect(connectWith({})).rejects.toMatchObject(refused);
    await expect(
      connectWith({ user: 'tocsin', password_file: await fileOf('wrong', 'sesame') }),
    ).rejects.toMatchObject(refused);
    await connectWith({ user: 'tocsin', password_file: await fileOf('password', 'open sesame\n') });
  });

  test('by token file', async () => {
    server = await startNatsConfigured(folder, 'authorization { token: open-sesame }');
    await expect(connectWith({ token_file: await fileOf('wrong', 'sesame') })).rejects.toMatchObject(refused);
    await connectWith({ token_file: await fileOf('token', 'open-sesame\n') });
  });

  test('by the seed of an nkey', async () => {
    const [known, unknown] = [nkeys.createUser(), nkeys.createUser()];
    server = await startNatsConfigured(
      folder,
      `authorization { users: [{ nkey: ${known.getPublicKey()} }] }`,
    );
    const seedFile = (name: string, pair: typeof known) =>
      fileOf(name, `${Buffer.from(pair.getSeed()).toString()}\n`);
    await expect(connectWith({ nkey_file: await seedFile('unknown', unknown) })).rejects.toMatchObject(
      refused,
    );
    await connectWith({ nkey_file: await seedFile('known', known) });
  });

  test('by a creds file of JWT and seed, whatever its line ends', async () => {
    const [realm, other] = [createJwtRealm(), createJwtRealm()];
    server = await startNatsConfigured(folder, realm.serverConfig);
    await expect(connectWith({ creds_file: await fileOf('other', other.creds) })).rejects.toMatchObject(
      refused,
    );
    await connectWith({ creds_file: await fileOf('creds', realm.creds) });
    await connection?.close();
    await connectWith({ creds_file: await fileOf('crlf', realm.creds.replaceAll('\n', '\r\n')) });
  });

  test('a secret that was renewed is taken up when the client reconnects, also after refusals', async () => {
    const conf = (token: string) => fileOf('nats-server.conf', `authorization { token: ${token} }`);
    server = await startNatsConfigured(folder, 'authorization { token: first }');
    const token_file = await fileOf('token', 'first');
    await connectWith({ token_file });
    const until = watch(connection!);

    await conf('second');
    await server.kill();
    await server.start();
    // Refused again and again with the old token: the client must not have given up.
    for (let refusals = 0; refusals < 2; refusals++) await until('error');
    await rm(token_file);
    await until('error');
    await fileOf('token', 'second');
    await until('reconnect');
    await connection!.flush();
  }, 60_000);
});

describe('TLS', () => {
  test('a server of the given authority that has the right name; no other', async () => {
    const [authority, other] = [await Authority.create(folder), await Authority.create(folder, 'other')];
    const named = await authority.issue('server', 'DNS:localhost,DNS:nats.example');
    server = await startNatsConfigured(
      folder,
      `tls { cert_file: "${named.certFile}", key_file: "${named.keyFile}" }`,
    );
    const servers = [`localhost:${server.port}`];
    await connectWith({ servers, tls: { ca_file: authority.certFile, min_version: 'TLS13' } });
    await connection?.close();
    await expect(connectWith({ tls: { ca_file: authority.certFile } })).rejects.toMatchObject({
      message: expect.stringContaining('altnames'),
    });
    const byName = { ca_file: authority.certFile, server_name: 'nats.example' };
    await connectWith({ tls: byName });
    await connection?.close();
    await connectWith({ servers, tls: { insecure_skip_verify: true } });
    await connection?.close();

    const failing = [
      { servers, tls: { ca_file: other.certFile } },
      { servers, tls: {} },
      { servers: [`tls://${servers[0]}`] },
      { servers, tls: { ca_file: authority.certFile, server_name: 'elsewhere.example' } },
    ];
    for (const options of failing)
      await expect(connectWith(options)).rejects.toMatchObject({
        code: 'TOC_NATS_UNAVAILABLE',
        message: expect.stringMatching(/certificate|altnames/i),
      });
  });

  test('a server whose certificate names its address only', async () => {
    const authority = await Authority.create(folder);
    const { certFile, keyFile } = await authority.issue('server', 'IP:127.0.0.1');
    server = await startNatsConfigured(folder, `tls { cert_file: "${certFile}", key_file: "${keyFile}" }`);
    await connectWith({ tls: { ca_file: authority.certFile } });
    await connection?.close();
    await connectWith({ servers: ['[::1]:1', `tls://${server.url}`], tls: { ca_file: authority.certFile } });
    await connection?.close();
    await expect(
      connectWith({ servers: [`localhost:${server.port}`], tls: { ca_file: authority.certFile } }),
    ).rejects.toMatchObject({ message: expect.stringContaining('altnames') });
  });

  test('a client certificate where the server asks for one', async () => {
    const authority = await Authority.create(folder);
    const { certFile, keyFile } = await authority.issue('server', 'DNS:localhost');
    const client = await authority.issue('client', 'email:tocsin@example.com');
    server = await startNatsConfigured(
      folder,
      `tls { cert_file: "${certFile}", key_file: "${keyFile}", ca_file: "${authority.certFile}", verify: true }`,
    );
    const [servers, ca_file] = [[`localhost:${server.port}`], authority.certFile];
    await expect(connectWith({ servers, tls: { ca_file } })).rejects.toMatchObject({
      code: 'TOC_NATS_UNAVAILABLE',
    });
    await connectWith({ servers, tls: { ca_file, cert_file: client.certFile, key_file: client.keyFile } });
  }, 20_000);

  test('certificates that were renewed are taken up when the client reconnects', async () => {
    const authority = await Authority.create(folder);
    const { certFile, keyFile } = await authority.issue('server', 'DNS:localhost');
    server = await startNatsConfigured(folder, `tls { cert_file: "${certFile}", key_file: "${keyFile}" }`);
    await connectWith({ servers: [`localhost:${server.port}`], tls: { ca_file: authority.certFile } });
    const until = watch(connection!);
    await server.kill();
    // The same files, signed by another authority.
    await (await Authority.create(folder)).issue('server', 'DNS:localhost');
    await server.start();
    await until('reconnect');
    await connection!.flush();
  }, 30_000);

  test('a server without it is refused where it is asked for', async () => {
    server = await startNats();
    for (const options of [{ tls: {} }, { servers: [`tls://${server.url}`] }])
      await expect(connectWith(options)).rejects.toMatchObject({
        message: expect.stringContaining("does not support 'tls'"),
      });
  });
});

describe('files that are not what they should be', () => {
  test('the error names the key and the file, and shows no secret', async () => {
    const authority = await Authority.create(folder);
    const { certFile, keyFile } = await authority.issue('one', 'DNS:one');
    const { keyFile: otherKey } = await authority.issue('two', 'DNS:two');
    const [empty, text] = [await fileOf('empty', '\n'), await fileOf('text', 'hunter2')];
    const seed = Buffer.from(nkeys.createUser().getSeed()).toString();
    const wrong = await fileOf(
      'wrong',
      seed.replace(/.{4}$/, (end) => (end === 'AAAA' ? 'BBBB' : 'AAAA')),
    );
    const account = await fileOf('account', Buffer.from(nkeys.createAccount().getSeed()).toString());
    const jwtless = await fileOf('jwtless', seed);
    const cases: [object, key: string, file: string][] = [
      [{ token_file: empty }, 'token_file', empty],
      [{ user: 'me', password_file: empty }, 'password_file', empty],
      [{ nkey_file: text }, 'nkey_file', text],
      [{ nkey_file: wrong }, 'nkey_file', wrong],
      [{ nkey_file: account }, 'nkey_file', account],
      [{ creds_file: text }, 'creds_file', text],
      [{ creds_file: jwtless }, 'creds_file', jwtless],
      [{ tls: { ca_file: text } }, 'tls.ca_file', text],
      [{ tls: { cert_file: text, key_file: keyFile } }, 'tls.cert_file', text],
      [{ tls: { cert_file: certFile, key_file: text } }, 'tls.key_file', text],
      [{ tls: { cert_file: certFile, key_file: otherKey } }, 'tls.key_file', otherKey],
    ];
    for (const [options, key, file] of cases) {
      const error: unknown = await connectWith(options).catch((cause: unknown) => cause);
      expect(error).toMatchObject({
        code: 'TOC_CONFIG_INVALID',
        message: expect.stringContaining(`NATS ${key}: ${file}`),
      });
      expect(String(error)).not.toMatch(/hunter2|SU[A-Z2-7]{20}/);
    }
    const absent = join(folder, 'absent');
    for (const key of ['token_file', 'nkey_file', 'creds_file'])
      await expect(connectWith({ [key]: absent })).rejects.toMatchObject({
        code: 'TOC_CONFIG_UNREADABLE',
        message: expect.stringContaining(`NATS ${key}: ${absent} cannot be read: ENOENT`),
      });
  });

  test('no server that answers is an error with a code', async () => {
    await expect(connectWith({})).rejects.toMatchObject({
      code: 'TOC_NATS_UNAVAILABLE',
      message: 'cannot connect to a NATS server at 127.0.0.1:1: connection refused',
    });
  });
});
