import type { Request } from 'express';
import type { Tokens } from '../core/tokens.js';
import { validBody } from './body.js';
import type { RefreshCookie } from './refresh-cookie.js';
import type { Schemas } from './schemas.js';

/** The refresh token of a request, and the way that it came. */
export interface PresentedRefreshToken {
  token: string | undefined;
  transport: 'cookie' | 'body';
}

/** What no verifier accepts. */
const NOBODYS = '';

/**
 * A token in the body before one in the cookie: whoever sends it means it. Of several cookies of the name, the
 * one that is authentic: the others were planted. Two authentic ones are nobody's to choose from.
 *
 * @throws OtpAuthError `invalid_request`
 */
export function presentedRefreshToken(
  req: Request,
  { schemas, cookie, tokens }: { schemas: Schemas; cookie: RefreshCookie; tokens: Tokens },
): PresentedRefreshToken {
  const { refresh_token } = validBody(schemas.refreshToken, req.body ?? {});
  if (refresh_token !== undefined) return { token: refresh_token, transport: 'body' };
  const values = cookie.read(req);
  if (values.length < 2) return { token: values[0], transport: 'cookie' };
  const authentic = values.filter((value) => tokens.authenticRefresh(value) !== undefined);
  return { token: authentic.length === 1 ? authentic[0] : NOBODYS, transport: 'cookie' };
}
