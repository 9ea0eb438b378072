import { z } from 'zod';

const fileName = z.string().min(1);

/** Keys and meaning of Prometheus' `tls_config` (prometheus/common, config/http_config.go), files only. */
const tlsConfig = z
  .strictObject({
    /** PEM; without it the certificate authorities that Node.js knows. */
    ca_file: fileName.optional(),
    cert_file: fileName.optional(),
    key_file: fileName.optional(),
    /** The name that the server's certificate must have; without it the host of `servers`. */
    server_name: z.string().min(1).optional(),
    insecure_skip_verify: z.boolean().default(false),
    min_version: z.enum(['TLS12', 'TLS13']).optional(),
  })
  .refine(
    ({ cert_file, key_file }) => (cert_file === undefined) === (key_file === undefined),
    'cert_file and key_file need each other',
  );

/**
 * How NATS servers are reached. `tls`, or a server that begins with `tls://`, asks for an encrypted connection; without either it is
 * encrypted where the server offers that.
 */
export const natsConnectionConfig = z
  .strictObject({
    servers: z
      .array(
        z
          .string()
          .min(1)
          .regex(/^[^@]*$/, 'must hold no user and password: use user and password_file'),
      )
      .min(1),
    user: z.string().min(1).optional(),
    password_file: fileName.optional(),
    token_file: fileName.optional(),
    /** The seed of a user, as `nk -gen user` writes it. */
    nkey_file: fileName.optional(),
    /** A user's JWT and seed, as `nsc generate creds` writes them. */
    creds_file: fileName.optional(),
    tls: tlsConfig.optional(),
  })
  .refine(
    ({ user, token_file, nkey_file, creds_file }) =>
      [user, token_file, nkey_file, creds_file].filter((way) => way !== undefined).length <= 1,
    'at most one of user, token_file, nkey_file and creds_file',
  )
  .refine(({ user, password_file }) => password_file === undefined || user !== undefined, {
    message: 'needs a user',
    path: ['password_file'],
  });

export type NatsConnectionConfig = z.output<typeof natsConnectionConfig>;
export type NatsTlsConfig = z.output<typeof tlsConfig>;
