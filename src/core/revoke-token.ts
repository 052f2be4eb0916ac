import type { Clock } from './ports.js';
import type { Sessions } from './sessions.js';
import type { Tokens } from './tokens.js';

/** Resolves also where the token is unknown, expired or none at all (RFC 7009 §2.2). */
export type RevokeToken = (token: string) => Promise<void>;

/** A refresh token goes with its session, and so with all access tokens of it (RFC 7009 §2.1); an access token goes alone. */
export function createRevokeToken({
  tokens,
  sessions,
  clock,
}: {
  tokens: Tokens;
  sessions: Sessions;
  clock: Clock;
}): RevokeToken {
  return async (token) => {
    const access = tokens.authenticAccess(token);
    if (access !== undefined) {
      await sessions.revokeAccessToken(access.sub, { id: access.jti, remainingMs: access.exp * 1000 - clock.now() });
      return;
    }
    const refresh = tokens.authenticRefresh(token);
    if (refresh !== undefined) await sessions.end({ id: refresh.sub }, refresh.sid, 'revoked');
  };
}
