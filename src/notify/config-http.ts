import { z } from 'zod';

/** A secret may stand in the configuration or in a file, not in both. */
export function atMostOne<T extends Readonly<Record<string, unknown>>>(
  ...keys: readonly (keyof T & string)[]
): [check: (config: T) => boolean, message: string] {
  const isGiven = (config: T, key: keyof T & string) => config[key] !== undefined && config[key] !== '';
  return [
    (config) => keys.filter((key) => isGiven(config, key)).length <= 1,
    `at most one of ${keys.join(' and ')}`,
  ];
}

/** One of two keys has to be there. */
export function exactlyOne<T extends Readonly<Record<string, unknown>>>(
  first: keyof T & string,
  second: keyof T & string,
): [check: (config: T) => boolean, message: string] {
  return [
    (config) => (config[first] === undefined) !== (config[second] === undefined),
    `exactly one of ${first} and ${second}`,
  ];
}

const fileName = z.string().min(1);

const authorization = z
  .strictObject({
    type: z
      .string()
      .regex(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/, 'is no authorization scheme')
      .refine((type) => type.toLowerCase() !== 'basic', 'use basic_auth')
      .default('Bearer'),
    credentials: z.string().min(1).optional(),
    credentials_file: fileName.optional(),
  })
  .refine(...exactlyOne('credentials', 'credentials_file'));

const basicAuth = z
  .strictObject({
    username: z.string().min(1),
    password: z.string().optional(),
    password_file: fileName.optional(),
  })
  .refine(...atMostOne('password', 'password_file'));

const tlsVersion = z.enum(['TLS10', 'TLS11', 'TLS12', 'TLS13']);

/** `tls_config` (prometheus/common, config/http_config.go). */
export const tlsConfig = z
  .strictObject({
    ca: z.string().min(1).optional(),
    ca_file: fileName.optional(),
    cert: z.string().min(1).optional(),
    cert_file: fileName.optional(),
    key: z.string().min(1).optional(),
    key_file: fileName.optional(),
    server_name: z.string().min(1).optional(),
    insecure_skip_verify: z.boolean().default(false),
    min_version: tlsVersion.optional(),
    max_version: tlsVersion.optional(),
  })
  .refine(...atMostOne('ca', 'ca_file'))
  .refine(...atMostOne('cert', 'cert_file'))
  .refine(...atMostOne('key', 'key_file'))
  .refine(
    ({ cert, cert_file, key, key_file }) =>
      (cert ?? cert_file) === undefined || (key ?? key_file) !== undefined,
    'a certificate needs its key: key or key_file',
  )
  .refine(
    ({ cert, cert_file, key, key_file }) =>
      (key ?? key_file) === undefined || (cert ?? cert_file) !== undefined,
    'a key needs its certificate: cert or cert_file',
  );

export type TlsConfig = z.output<typeof tlsConfig>;

/** Through which proxy requests go. */
const proxyKeys = {
  proxy_url: z.url({ protocol: /^https?$/, error: 'expected an http or https URL' }).optional(),
  /** Hosts that are reached without it, separated by commas. */
  no_proxy: z.string().optional(),
  /** `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`. */
  proxy_from_environment: z.boolean().optional(),
  /** Headers of the request that opens a tunnel. */
  proxy_connect_header: z.record(z.string(), z.array(z.string())).optional(),
};

const oauth2 = z
  .strictObject({
    client_id: z.string().min(1),
    client_secret: z.string().min(1).optional(),
    client_secret_file: fileName.optional(),
    token_url: z.url({ protocol: /^https?$/, error: 'expected an http or https URL' }),
    scopes: z.array(z.string()).default([]),
    endpoint_params: z.record(z.string(), z.string()).default({}),
    tls_config: tlsConfig.optional(),
    ...proxyKeys,
  })
  .refine(...exactlyOne('client_secret', 'client_secret_file'));

export type OAuth2Config = z.output<typeof oauth2>;

const header = z.strictObject({
  values: z.array(z.string()).default([]),
  secrets: z.array(z.string()).default([]),
  files: z.array(fileName).default([]),
});

/** `http_config` of an integration, and of Alertmanager's `global` for all of them. */
export const httpConfig = z
  .strictObject({
    authorization: authorization.optional(),
    basic_auth: basicAuth.optional(),
    oauth2: oauth2.optional(),
    follow_redirects: z.boolean().default(true),
    /** Taken for Alertmanager's sake; requests are HTTP/1.1. */
    enable_http2: z.boolean().optional(),
    http_headers: z.record(z.string(), header).optional(),
    tls_config: tlsConfig.optional(),
    ...proxyKeys,
  })
  .refine(
    ({ authorization, basic_auth }) => !authorization || !basic_auth,
    'at most one of authorization and basic_auth',
  )
  .refine(
    ({ authorization, basic_auth, oauth2 }) => !oauth2 || (!authorization && !basic_auth),
    'at most one of oauth2, authorization and basic_auth',
  )
  .refine(
    ({ proxy_url, proxy_from_environment, no_proxy }) =>
      !proxy_from_environment || (proxy_url === undefined && no_proxy === undefined),
    'at most one of proxy_from_environment and proxy_url with no_proxy',
  );

export type HttpConfig = z.output<typeof httpConfig>;
