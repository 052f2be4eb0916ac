import { OtpAuthError } from '../errors.js';
import type { Clock } from './ports.js';
import type { Requester } from './requester.js';
import type { Sessions } from './sessions.js';
import type { AccessClaims, Tokens } from './tokens.js';

/** The tokens that someone logs out with: any of them will do. */
export interface LogoutTokens {
  accessToken?: string | undefined;
  refreshTokens: readonly string[];
}

/** `spared`: the refresh tokens that are another user's than the access token. */
export type Logout = (tokens: LogoutTokens, requester: Requester) => Promise<{ spared: string[] }>;

/**
 * Ends what the tokens name, also where they are expired or revoked already: logging out twice is logging out.
 * Of tokens of different users only the access token's session ends. What it returns rejects with `token_missing`,
 * `invalid_token` where none is authentic, or `store_unavailable`.
 */
export function createLogout({
  tokens,
  sessions,
  clock,
}: {
  tokens: Tokens;
  sessions: Sessions;
  clock: Clock;
}): Logout {
  return async ({ accessToken, refreshTokens }, requester) => {
    if (accessToken === undefined && refreshTokens.length === 0) throw new OtpAuthError('token_missing');
    const access = tokens.authenticAccess(accessToken ?? '');
    const authentic = refreshTokens.flatMap((token) => {
      const claims = tokens.authenticRefresh(token);
      return claims === undefined ? [] : [{ token, claims }];
    });
    if (access === undefined && authentic.length === 0) throw new OtpAuthError('invalid_token');

    const isSpared = ({ sub }: { sub: string }) => access !== undefined && sub !== access.sub;
    const endings = new Map(
      authentic
        .filter(({ claims }) => !isSpared(claims))
        .map(({ claims: { sub, sid } }) => [sid, () => sessions.end({ id: sub }, sid, 'logout', { requester })]),
    );
    if (access !== undefined) {
      const token = { id: access.jti, remainingMs: access.exp * 1000 - clock.now() };
      endings.set(access.sid, () => sessions.end(ownerOf(access), access.sid, 'logout', { token, requester }));
    }
    await Promise.all([...endings.values()].map((end) => end()));
    return { spared: authentic.filter(({ claims }) => isSpared(claims)).map(({ token }) => token) };
  };
}

function ownerOf({ sub, email, phone_number }: AccessClaims) {
  return { id: sub, email, phoneNumber: phone_number };
}
