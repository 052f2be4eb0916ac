import type { Request } from 'express';
import { OtpAuthError } from '../errors.js';

/**
 * The token in `Authorization: Bearer …` (RFC 6750 §2.1); `undefined` where the request has no credentials of this scheme.
 *
 * @throws OtpAuthError `invalid_token` where the scheme is there and what follows is no token.
 */
export function bearerToken(req: Request): string | undefined {
  const field = req.headers.authorization;
  if (field === undefined) return undefined;
  // As every client writes it. Whether the rest is a token, whoever verifies it will find out.
  if (field.startsWith('Bearer ') && !field.includes(' ', 7)) return field.slice(7);
  if (!/^bearer(?: |$)/i.test(field)) return undefined;
  const token = /^bearer +([\w.~+/-]+=*) *$/i.exec(field)?.[1];
  if (token === undefined) throw new OtpAuthError('invalid_token');
  return token;
}
