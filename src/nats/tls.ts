import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { isIP } from 'node:net';
import { checkServerIdentity, type SecureVersion } from 'node:tls';
import { readConfigFile } from './config-file.ts';
import type { NatsConnectionConfig, NatsTlsConfig } from './config.ts';

const versions = {
  TLS12: 'TLSv1.2',
  TLS13: 'TLSv1.3',
} as const satisfies Record<string, SecureVersion>;

/** What the client and node:tls need for an encrypted connection. The client reads the files itself, whenever it connects. */
export interface TlsOptions {
  readonly rejectUnauthorized: boolean;
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  readonly servername?: string;
  readonly minVersion?: SecureVersion;
  readonly checkServerIdentity?: typeof checkServerIdentity;
}

/**
 * The options of an encrypted connection, or undefined where none is asked for. Throws TOC_CONFIG_UNREADABLE or TOC_CONFIG_INVALID
 * for a file that is not what it should be.
 */
export function tlsOptions({ servers, tls }: NatsConnectionConfig): TlsOptions | undefined {
  if (!tls && !servers.some((server) => server.startsWith('tls://'))) return undefined;
  const identity = { checkServerIdentity: identityOfAddresses(servers) };
  if (!tls) return { rejectUnauthorized: true, ...identity };
  checkFiles(tls);
  const { ca_file, cert_file, key_file, server_name, min_version } = tls;
  return {
    rejectUnauthorized: !tls.insecure_skip_verify,
    ...(ca_file === undefined ? {} : { caFile: ca_file }),
    ...(cert_file === undefined ? {} : { certFile: cert_file }),
    ...(key_file === undefined ? {} : { keyFile: key_file }),
    ...(server_name === undefined ? identity : { servername: server_name }),
    ...(min_version === undefined ? {} : { minVersion: versions[min_version] }),
  };
}

/**
 * For a server that is reached by its address the client names no host to node:tls, which would then take any certificate for
 * `localhost`, and none for the address. So the certificate must be for one of the addresses that are configured.
 */
function identityOfAddresses(servers: readonly string[]): typeof checkServerIdentity {
  const hosts = servers.map(hostOf).filter((host) => isIP(host) > 0 || host === 'localhost');
  return (name, certificate) => {
    if (name !== 'localhost' || hosts.length === 0) return checkServerIdentity(name, certificate);
    const mistakes = hosts.map((host) => checkServerIdentity(host, certificate));
    return mistakes.includes(undefined) ? undefined : mistakes[0];
  };
}

function hostOf(server: string): string {
  const address = server.replace(/^[^/]*:\/\//, '');
  if (isIP(address) === 6) return address;
  return URL.parse(`http://${address}`)?.hostname.replaceAll(/^\[|\]$/g, '') ?? '';
}

function checkFiles({ ca_file, cert_file, key_file }: NatsTlsConfig): void {
  if (ca_file !== undefined) readConfigFile('tls.ca_file', ca_file, certificateOf);
  if (cert_file === undefined || key_file === undefined) return;
  const certificate = readConfigFile('tls.cert_file', cert_file, certificateOf);
  readConfigFile('tls.key_file', key_file, (text) => {
    if (!certificate.checkPrivateKey(privateKeyOf(text)))
      throw new Error(`is not the private key of the certificate in ${cert_file}`);
  });
}

function certificateOf(text: string): X509Certificate {
  try {
    return new X509Certificate(text);
  } catch (cause) {
    throw new Error('expected a certificate as PEM', { cause });
  }
}

function privateKeyOf(text: string): KeyObject {
  try {
    return createPrivateKey(text);
  } catch (cause) {
    throw new Error('expected a private key as PEM, without a passphrase', { cause });
  }
}
