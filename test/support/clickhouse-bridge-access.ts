import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { BridgeError } from './clickhouse-bridge-answer.ts';

/** The one user that there is. */
export interface Users {
  readonly name: string;
  readonly password: string;
}

interface Claim {
  readonly name: string;
  readonly password: string;
}

/** Throws as the server does when the request says nobody that it knows, or says it in two ways. */
export function refuseUnknownUser(request: IncomingMessage, users: Users): void {
  const claims = claimsOf(request);
  if (claims.length > 1) {
    throw new BridgeError(
      403,
      516,
      'Invalid authentication: it is not allowed to use several authentication methods simultaneously. (AUTHENTICATION_FAILED)',
    );
  }
  const { name, password } = claims[0] ?? { name: 'default', password: '' };
  const byCertificate = request.headers['x-clickhouse-ssl-certificate-auth'] === 'on';
  if (byCertificate && password !== '') {
    throw new BridgeError(
      403,
      516,
      'Invalid authentication: it is not allowed to use SSL certificate authentication and authentication via password simultaneously. (AUTHENTICATION_FAILED)',
    );
  }
  const isKnown =
    name === users.name &&
    (byCertificate ? nameOfCertificate(request) === name : password === users.password);
  if (isKnown) return;
  throw new BridgeError(
    403,
    516,
    `${name}: Authentication failed: password is incorrect, or there is no user with such name. (AUTHENTICATION_FAILED)`,
  );
}

function claimsOf({ headers, url }: IncomingMessage): Claim[] {
  const claims: Claim[] = [];
  const basic = /^Basic (.+)$/i.exec(headers.authorization ?? '')?.[1];
  if (basic !== undefined) {
    const [, name = '', password = ''] =
      /^([^:]*):(.*)$/s.exec(Buffer.from(basic, 'base64').toString('utf8')) ?? [];
    claims.push({ name, password });
  }
  const user = headers['x-clickhouse-user'];
  if (user !== undefined)
    claims.push({ name: String(user), password: String(headers['x-clickhouse-key'] ?? '') });
  const search = new URL(url ?? '/', 'http://localhost').searchParams;
  const named = search.get('user');
  if (named !== null) claims.push({ name: named, password: search.get('password') ?? '' });
  return claims;
}

/** The common name of a certificate that the TLS layer has checked; null without one. */
function nameOfCertificate({ socket }: IncomingMessage): string | null {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return null;
  const name = socket.getPeerCertificate().subject?.CN;
  return typeof name === 'string' ? name : null;
}
