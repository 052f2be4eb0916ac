// What functions of `auth.api` have in common.
import type { Requester } from './core/requester.js';
import type { SignIn } from './core/sessions.js';

/** Where a code goes: one of the two. */
export type Address = { email: string; phoneNumber?: undefined } | { phoneNumber: string; email?: undefined };

/** What a sign-in gives besides: shows from then on that this device is not a stranger's. Keep it, and hand it in with the next sign-in. */
export interface DeviceToken {
  deviceToken: string;
}

/** Limits per address of the network: see `http/ip-limits`. */
export interface IpLimits {
  requests: { count(requester: Requester): Promise<void> };
  verifies: { count(requester: Requester): Promise<void> };
}

/** What signing in and refreshing give. */
export interface TokenPair {
  accessToken: string;
  tokenType: 'bearer';
  /** Seconds. */
  expiresIn: number;
  refreshToken: string;
  /** Seconds. */
  refreshExpiresIn: number;
}

export function tokenPair({ accessToken, expiresIn, refreshToken, refreshExpiresIn }: SignIn): TokenPair {
  return { accessToken, tokenType: 'bearer', expiresIn, refreshToken, refreshExpiresIn };
}
