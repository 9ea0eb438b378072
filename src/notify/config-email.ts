import { z } from 'zod';
import { atMostOne, tlsConfig } from './config-http.ts';
import { fileName, telling, templated, timeout } from './config-text.ts';

const secret = z.string().min(1).optional();

/** `Subject` for `SUBJECT` and `subject`, `Message-Id` for `message-id`, as Go's CanonicalMIMEHeaderKey. */
function canonical(name: string): string {
  return name
    .split('-')
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1).toLowerCase())
    .join('-');
}

const headers = z
  .record(z.string().regex(/^[!-9;-~]+$/, 'is no name of a header'), templated)
  .default({})
  .superRefine((given, context) => {
    const names = Object.keys(given).map(canonical);
    const twice = names.find((name, index) => names.indexOf(name) < index);
    if (twice !== undefined)
      context.addIssue({
        code: 'custom',
        message: `duplicate header ${JSON.stringify(twice)} in email config`,
      });
  })
  .transform((given) =>
    Object.fromEntries(Object.entries(given).map(([name, value]) => [canonical(name), value])),
  );

/** Alertmanager's `email_config`. What is not said here is said by the keys `smtp_…` of `global`. */
export const emailConfig = z
  .strictObject({
    ...telling(false),
    to: templated.min(1, 'missing to address in email config'),
    from: templated.optional(),
    smarthost: z
      .string()
      .regex(/^.+:\d{1,5}$/, 'expected host:port')
      .optional(),
    hello: z.string().min(1).optional(),
    auth_username: z.string().optional(),
    auth_password: secret,
    auth_password_file: fileName.optional(),
    auth_secret: secret,
    auth_secret_file: fileName.optional(),
    auth_identity: z.string().optional(),
    /** The connection has to become one over TLS, by STARTTLS. On port 465 it is one from the start. */
    require_tls: z.boolean().optional(),
    tls_config: tlsConfig.optional(),
    html: templated.default('{{ template "email.default.html" . }}'),
    text: templated.default(''),
    headers,
    timeout,
  })
  .refine(...atMostOne('auth_password', 'auth_password_file'))
  .refine(...atMostOne('auth_secret', 'auth_secret_file'));

export type EmailConfig = z.output<typeof emailConfig>;
