import { OtpAuthError } from '../errors.js';
import type { Clock } from './ports.js';
import type { Sessions } from './sessions.js';
import type { AccessClaims, Tokens } from './tokens.js';

/** The tokens that someone logs out with: any of them will do. */
export interface LogoutTokens {
  accessToken?: string | undefined;
  refreshToken?: string | undefined;
}

/** Whether the refresh token was of the same user, so that its cookie is to be cleared. */
export type Logout = (tokens: LogoutTokens) => Promise<{ refreshTokenEnded: boolean }>;

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
  return async ({ accessToken, refreshToken }) => {
    if (accessToken === undefined && refreshToken === undefined) throw new OtpAuthError('token_missing');
    const access = tokens.authenticAccess(accessToken ?? '');
    const refresh = tokens.authenticRefresh(refreshToken ?? '');
    if (access === undefined && refresh === undefined) throw new OtpAuthError('invalid_token');

    const refreshTokenEnds = refresh !== undefined && (access === undefined || access.sub === refresh.sub);
    const endings = [];
    if (access !== undefined) {
      const remainingMs = access.exp * 1000 - clock.now();
      endings.push(sessions.end(ownerOf(access), access.sid, 'logout', { id: access.jti, remainingMs }));
    }
    if (refreshTokenEnds && refresh.sid !== access?.sid)
      endings.push(sessions.end({ id: refresh.sub }, refresh.sid, 'logout'));
    await Promise.all(endings);
    return { refreshTokenEnded: refreshToken !== undefined && (refresh === undefined || refreshTokenEnds) };
  };
}

function ownerOf({ sub, email, phone_number }: AccessClaims) {
  return { id: sub, email, phoneNumber: phone_number };
}
