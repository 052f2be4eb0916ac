import type { Secrets } from './secrets.js';
import { userKeyFor } from './secrets.js';
import type { Store } from './ports.js';
import type { AccessClaims, Tokens } from './tokens.js';
import { OtpAuthError } from '../errors.js';

/** The user of a valid access token: `req.user`. */
export interface AuthenticatedUser {
  /** The user store's id; without one, the canonical e-mail address or phone number. */
  id: string;
  email?: string;
  phoneNumber?: string;
  roles: string[];
  sessionId: string;
  tokenId: string;
  /** When the user signed in, in seconds since the epoch (OpenID Connect `auth_time`). */
  authTime: number;
  /** How: `['otp']`, `['otp', 'totp']` (RFC 8176). */
  amr: string[];
  /** All of the token's claims. */
  claims: Record<string, unknown>;
}

export type Authenticate = (token: string) => Promise<AuthenticatedUser>;

/**
 * Judges an access token: signature and shape first, then revocation of the token, of its session and of its user.
 * The function it returns rejects with `invalid_token`, or `store_unavailable` where revocation cannot be known.
 */
export function createAuthenticate(deps: { tokens: Tokens; store: Store; secrets: Secrets }): Authenticate {
  return async (token) => {
    const claims = deps.tokens.verifyAccess(token);
    const revoked = await deps.store.isRevoked({
      userKeys: deps.secrets.all.map((era) => userKeyFor(era, claims.sub)),
      tokenId: claims.jti,
      sessionId: claims.sid,
      issuedAtSeconds: claims.iat,
    });
    if (revoked) throw new OtpAuthError('invalid_token');
    return authenticatedUser(claims);
  };
}

function authenticatedUser(claims: AccessClaims): AuthenticatedUser {
  return {
    id: claims.sub,
    ...(claims.email === undefined ? {} : { email: claims.email }),
    ...(claims.phone_number === undefined ? {} : { phoneNumber: claims.phone_number }),
    roles: claims.roles,
    sessionId: claims.sid,
    tokenId: claims.jti,
    authTime: claims.auth_time,
    amr: claims.amr,
    claims: { ...claims },
  };
}
