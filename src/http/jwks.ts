import type { KeyObject } from 'node:crypto';
import { type JwtAlgorithm, thumbprint } from '../core/tokens.js';
import { OtpAuthError } from '../errors.js';
import { sendJson } from './json.js';
import { handle } from './problem.js';
import type { Route } from './router.js';

/** `GET /.well-known/jwks.json`: the public keys (RFC 7517), for the asymmetric algorithms. A shared secret has none to show. */
export function jwksRoute({
  algorithm,
  verificationKeys,
}: {
  algorithm: JwtAlgorithm;
  verificationKeys: readonly KeyObject[];
}): Route {
  const keys = verificationKeys.map((key) => ({
    ...key.export({ format: 'jwk' }),
    kid: thumbprint(key),
    alg: algorithm,
    use: 'sig',
  }));
  const answer = handle(async (_req, res) => {
    if (keys.length === 0) throw new OtpAuthError('not_found', 'Tokens are signed with a shared secret.');
    sendJson(res, { keys });
  });
  return { method: 'get', path: '/.well-known/jwks.json', handlers: [answer] };
}
