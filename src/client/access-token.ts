import type { SignedIn } from './answers.js';

/**
 * What an access token says. Its signature is the server's business: here it only tells what to show.
 *
 * @throws where it is no access token
 */
export function readAccessToken(accessToken: string): SignedIn {
  // The members that differ from token to token are left out of the user, who then stays the same object over refreshes.
  const {
    sub,
    email,
    phone_number,
    roles,
    sid,
    auth_time,
    amr,
    iat,
    exp,
    jti: _jti,
    type: _type,
    ...claims
  } = JSON.parse(payloadOf(accessToken)) as Claims;
  return {
    accessToken,
    expiresIn: exp - iat,
    user: {
      id: sub,
      ...(email && { email }),
      ...(phone_number && { phoneNumber: phone_number }),
      roles,
      sessionId: sid,
      authTime: auth_time,
      amr,
      claims,
    },
  };
}

interface Claims {
  sub: string;
  email?: string;
  phone_number?: string;
  roles: string[];
  sid: string;
  auth_time: number;
  amr: string[];
  iat: number;
  exp: number;
  jti: string;
  type: string;
  [claim: string]: unknown;
}

/** Without TextDecoder, which older React Native lacks. */
function payloadOf(token: string): string {
  const bytes = atob((token.split('.')[1] as string).replace(/-/g, '+').replace(/_/g, '/'));
  return decodeURIComponent(bytes.replace(/[^]/g, (byte) => `%${byte.charCodeAt(0).toString(16).padStart(2, '0')}`));
}
