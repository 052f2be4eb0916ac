import type { NowOrLater } from './now-or-later.js';
import type { Store } from './ports.js';
import type { AccessClaims } from './tokens.js';
import type { VerifyToken } from './verified-tokens.js';
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

const SECOND_FACTORS = new Set(['totp', 'recovery_code']);

/** At once where nothing has to be asked of the store, which is most of the time with `revocation: 'push'`. */
export type Authenticate = (token: string) => NowOrLater<AuthenticatedUser>;

/**
 * Judges an access token: signature and shape first, then revocation of the token, of its session and of its user.
 * The function it returns throws or rejects with `invalid_token`, or `store_unavailable` where revocation cannot be known.
 */
export function createAuthenticate(deps: {
  verifyToken: VerifyToken;
  store: Store;
  /** Whether a token of a sign-in without a second factor is good. */
  secondFactor: 'optional' | 'required';
}): Authenticate {
  const isRequired = deps.secondFactor === 'required';
  const judge = (claims: Readonly<AccessClaims>, revoked: boolean): AuthenticatedUser => {
    if (revoked) throw new OtpAuthError('invalid_token');
    if (isRequired && !hasSecondFactor(claims.amr))
      throw new OtpAuthError('mfa_required', 'Set up an authenticator app first, then refresh.', { methods: ['totp'] });
    return authenticatedUser(claims);
  };

  return (token) => {
    const { claims, query } = deps.verifyToken(token);
    const revoked = deps.store.isRevoked(query);
    return typeof revoked === 'boolean' ? judge(claims, revoked) : revoked.then((answer) => judge(claims, answer));
  };
}

/** Whether a second factor was among the methods of a sign-in. */
export function hasSecondFactor(amr: readonly string[]): boolean {
  return amr.some((method) => SECOND_FACTORS.has(method));
}

/** A copy through and through: what an application does to `req.user` is not there on the next request with the token. */
function authenticatedUser(shared: Readonly<AccessClaims>): AuthenticatedUser {
  const claims: AccessClaims = { ...shared };
  for (const name in claims) {
    const value = claims[name];
    if (typeof value === 'object' && value !== null) claims[name] = copyOf(value);
  }
  return {
    id: claims.sub,
    ...(claims.email === undefined ? undefined : { email: claims.email }),
    ...(claims.phone_number === undefined ? undefined : { phoneNumber: claims.phone_number }),
    roles: claims.roles,
    sessionId: claims.sid,
    tokenId: claims.jti,
    authTime: claims.auth_time,
    amr: claims.amr,
    claims,
  };
}

/** Of what JSON can hold. */
function copyOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(copyOf);
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, copyOf(inner)]));
}
