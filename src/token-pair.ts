import type { SignIn } from './core/sessions.js';

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
