import { readFileSync } from 'node:fs';
import { createSecureContext, type ConnectionOptions, type SecureVersion } from 'node:tls';
import { TocsinError } from '../engine/index.ts';
import type { RedisConfig, RedisTlsConfig } from './redis-config.ts';

const versions = {
  TLS12: 'TLSv1.2',
  TLS13: 'TLSv1.3',
} as const satisfies Record<string, SecureVersion>;

/** What the files of the configuration hold. */
export interface RedisSecrets {
  readonly password?: string;
  readonly sentinelPassword?: string;
  readonly tls?: ConnectionOptions;
}

/**
 * Reads the files that the configuration names. Throws TOC_CONFIG_UNREADABLE when one cannot be read and TOC_CONFIG_INVALID when it
 * does not hold what it should; neither shows what the file holds. Synchronous, because the client asks so when it reconnects.
 */
export function readSecrets(config: RedisConfig): RedisSecrets {
  const { password_file, sentinel_password_file, tls, url } = config;
  return {
    ...(password_file === undefined ? {} : { password: readPassword('password_file', password_file) }),
    ...(sentinel_password_file === undefined
      ? {}
      : { sentinelPassword: readPassword('sentinel_password_file', sentinel_password_file) }),
    ...(tls === undefined && !url?.startsWith('rediss:') ? {} : { tls: tlsOptions(tls) }),
  };
}

function tlsOptions(tls: RedisTlsConfig | undefined): ConnectionOptions {
  if (!tls) return {};
  const { ca_file, cert_file, key_file, server_name, min_version } = tls;
  const options: ConnectionOptions = {
    rejectUnauthorized: !tls.insecure_skip_verify,
    ...(ca_file === undefined ? {} : { ca: readText('tls.ca_file', ca_file) }),
    ...(cert_file === undefined ? {} : { cert: readText('tls.cert_file', cert_file) }),
    ...(key_file === undefined ? {} : { key: readText('tls.key_file', key_file) }),
    ...(server_name === undefined ? {} : { servername: server_name }),
    ...(min_version === undefined ? {} : { minVersion: versions[min_version] }),
  };
  try {
    createSecureContext(options);
  } catch (cause) {
    const files = [ca_file, cert_file, key_file].filter((file) => file !== undefined).join(', ');
    throw new TocsinError(
      'TOC_CONFIG_INVALID',
      `Redis tls: ${files} hold no certificate and key, as PEM, that belong together`,
      { cause },
    );
  }
  return options;
}

function readPassword(key: string, file: string): string {
  const password = readText(key, file).replace(/\r?\n$/, '');
  if (password === '')
    throw new TocsinError(
      'TOC_CONFIG_INVALID',
      `Redis ${key}: ${file}: expected a password, got an empty file`,
    );
  return password;
}

function readText(key: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new TocsinError('TOC_CONFIG_UNREADABLE', `Redis ${key}: ${file} cannot be read`, { cause });
  }
}
