import type { Request } from 'express';
import { OtpAuthError } from '../errors.js';

/**
 * The token in `Authorization: Bearer …` (RFC 6750 §2.1); `undefined` where the request has no credentials of this scheme.
 *
 * @throws OtpAuthError `invalid_token` where the scheme is there and what follows is no token.
 */
export function bearerToken(req: Request): string | undefined {
  const field = req.headers.authorization;
  if (field === undefined || !/^bearer(?: |$)/i.test(field)) return undefined;
  const token = /^bearer +([\w.~+/-]+=*) *$/i.exec(field)?.[1];
  if (token === undefined) throw new OtpAuthError('invalid_token');
  return token;
}
