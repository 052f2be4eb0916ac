import { LRUCache } from 'lru-cache';
import type { RevocationQuery } from './ports.js';
import { type Secrets, userKeyFor } from './secrets.js';
import { type AccessClaims, LONGEST_TOKEN, type Tokens } from './tokens.js';
import { OtpAuthError } from '../errors.js';

/** A token whose signature and shape are right, with what every request with it asks of the store. */
export interface VerifiedToken {
  readonly token: string;
  /** Shared by all requests with the token: what is handed to an application is a copy. */
  readonly claims: Readonly<AccessClaims>;
  /** The same object on every request with a remembered token: a store may note what it knows about it. */
  readonly query: RevocationQuery;
}

/** @throws OtpAuthError `invalid_token` */
export type VerifyToken = (token: string) => VerifiedToken;

// The bytes that an entry takes beside its token grow with the token, so a bound on the tokens' bounds everything.
const USUAL_TOKEN_LENGTH = 1024;

/**
 * Verifies access tokens, and remembers the `entries` used last, so that signature, shape and the user's keys are
 * worked out once for each. Expiry and `nbf` are judged every time; revocation is the caller's to judge, every time.
 * The memory ends with this function: one made for other secrets starts empty.
 *
 * @param entries - 0 remembers nothing.
 */
export function createVerifyToken({
  tokens,
  secrets,
  entries,
}: {
  tokens: Tokens;
  secrets: Secrets;
  entries: number;
}): VerifyToken {
  const remembered = entries > 0 ? rememberAtMost(entries) : undefined;

  const verify = (token: string): VerifiedToken => {
    const claims = tokens.verifyAccess(token);
    const query = {
      userKeys: secrets.all.map((era) => userKeyFor(era, claims.sub)),
      tokenId: claims.jti,
      sessionId: claims.sid,
      issuedAtSeconds: claims.iat,
    };
    return { token, claims, query };
  };
  if (remembered === undefined) return verify;

  return (token) => {
    if (typeof token !== 'string') throw new OtpAuthError('invalid_token'); // JavaScript may hand over anything
    const place = placeOf(token);
    const known = remembered.get(place);
    // The whole token, claims and all: one with a remembered token's signature and other claims is not that token.
    if (known?.token === token) {
      if (!tokens.isCurrent(known.claims)) throw new OtpAuthError('invalid_token');
      return known;
    }
    const verified = verify(token);
    remembered.set(place, verified);
    return verified;
  };
}

function rememberAtMost(entries: number): LRUCache<string, VerifiedToken> {
  return new LRUCache({
    max: entries,
    maxSize: Math.max(entries * USUAL_TOKEN_LENGTH, LONGEST_TOKEN),
    sizeCalculation: ({ token }) => token.length,
  });
}

/** The signature's end: different for every token, and shorter to hash than all of it. */
function placeOf(token: string): string {
  return token.slice(-43);
}
