import { z } from 'zod';
import { durationSchema } from '../alert/index.ts';

const fileName = z.string().min(1);

/** `host:port`; the port may be left out, and an IPv6 address stands in brackets. */
const address = z
  .string()
  .regex(
    /^(?:\[[0-9A-Fa-f:.]+\]|[^\s:@/[\]]+)(?::\d{1,5})?$/,
    'expected host:port, without user and password',
  );

const serverUrl = z
  .url({ protocol: /^rediss?$/, error: 'expected a redis or rediss URL' })
  .superRefine((text, context) => {
    if (!URL.canParse(text)) return;
    const { hostname, username, password, pathname, search, hash } = new URL(text);
    const refuse = (message: string): void => context.addIssue({ code: 'custom', message });
    if (hostname === '') refuse('must name a host');
    if (username !== '' || password !== '')
      refuse('must hold no user and password: use user and password_file');
    if (pathname.length > 1 || search !== '' || hash !== '')
      refuse('must end after host and port: use db for the database');
  });

/** Keys and meaning of Prometheus' `tls_config` (prometheus/common, config/http_config.go), files only. */
const tlsConfig = z
  .strictObject({
    /** PEM; without it the certificate authorities that Node.js knows. */
    ca_file: fileName.optional(),
    cert_file: fileName.optional(),
    key_file: fileName.optional(),
    /** The name that the servers' certificates must have; without it the host that is connected to. */
    server_name: z.string().min(1).optional(),
    insecure_skip_verify: z.boolean().default(false),
    min_version: z.enum(['TLS12', 'TLS13']).optional(),
  })
  .refine(
    ({ cert_file, key_file }) => (cert_file === undefined) === (key_file === undefined),
    'cert_file and key_file need each other',
  );

/**
 * How Redis (7 or later) or Valkey is reached: one server by `url`, one that Sentinel watches by `sentinels` and `master_name`, or
 * Redis Cluster by some of its `nodes`. `tls`, or a URL that begins with `rediss://`, asks for encrypted connections.
 */
export const redisConfig = z
  .strictObject({
    url: serverUrl.optional(),
    sentinels: z.array(address).min(1).optional(),
    master_name: z.string().min(1).optional(),
    nodes: z.array(address).min(1).optional(),
    user: z.string().min(1).optional(),
    /** File that holds the password; its last line end is not part of it. */
    password_file: fileName.optional(),
    sentinel_user: z.string().min(1).optional(),
    sentinel_password_file: fileName.optional(),
    db: z.int().min(0).default(0),
    tls: tlsConfig.optional(),
    /** What the names of all keys begin with. */
    key_prefix: z
      .string()
      .regex(/^[A-Za-z0-9._:-]+$/, 'must be letters, digits, dots, colons, dashes and underscores')
      .default('tocsin'),
    /** How long a server may take to accept a connection, and how long the first one is waited for. */
    connect_timeout: durationSchema.prefault('5s'),
    /** How long a command may take until it is given up, the time in which there is no connection included. */
    command_timeout: durationSchema.prefault('5s'),
  })
  .refine(
    ({ url, sentinels, nodes }) => [url, sentinels, nodes].filter((way) => way !== undefined).length === 1,
    'exactly one of url, sentinels and nodes',
  )
  .superRefine((config, context) => {
    const needs = (key: keyof typeof config, other: keyof typeof config): void => {
      if (config[key] !== undefined && config[other] === undefined)
        context.addIssue({ code: 'custom', message: `needs ${other}`, path: [key] });
    };
    needs('sentinels', 'master_name');
    needs('master_name', 'sentinels');
    needs('user', 'password_file');
    needs('sentinel_user', 'sentinel_password_file');
    needs('sentinel_password_file', 'sentinels');
    if (config.nodes !== undefined && config.db !== 0)
      context.addIssue({
        code: 'custom',
        message: 'Redis Cluster has no other database than 0',
        path: ['db'],
      });
  });

export type RedisConfig = z.output<typeof redisConfig>;
export type RedisTlsConfig = z.output<typeof tlsConfig>;
