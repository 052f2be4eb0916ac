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
 * A token in the body before one in the cookie: whoever sends it means it. One that comes both ways came by cookie,
 * and its successor goes where a page's scripts cannot read it.
 *
 * @throws OtpAuthError `invalid_request`
 */
export function presentedRefreshToken(
  req: Request,
  { schemas, cookie, tokens }: { schemas: Schemas; cookie: RefreshCookie; tokens: Tokens },
): PresentedRefreshToken {
  const { refresh_token } = validBody(schemas.refreshToken, req.body ?? {});
  const cookies = cookie.read(req);
  if (refresh_token !== undefined)
    return { token: refresh_token, transport: cookies.includes(refresh_token) ? 'cookie' : 'body' };
  return { token: theOneMeant(cookies, (one) => tokens.authenticRefresh(one)), transport: 'cookie' };
}

/**
 * Of several cookies of one name, the one that is authentic: the others were planted. Of several authentic ones of one user,
 * the newest: the others are left over from another path or domain. Those of different users are nobody's to choose from.
 */
export function theOneMeant(
  values: readonly string[],
  read: (token: string) => { sub: string; iat: number } | undefined,
): string | undefined {
  if (values.length < 2) return values[0];
  const authentic = values.flatMap((token) => {
    const claims = read(token);
    return claims === undefined ? [] : [{ token, ...claims }];
  });
  const [newest] = authentic.toSorted((a, b) => b.iat - a.iat);
  return newest !== undefined && authentic.every(({ sub }) => sub === newest.sub) ? newest.token : NOBODYS;
}
