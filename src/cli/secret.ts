import { randomBytes } from 'node:crypto';

/** A secret for `EXPRESS_OTP_AUTH_JWT_SECRET`: 384 random bits, in characters that every shell and file takes as they are. */
export function secret(): string {
  return randomBytes(48).toString('base64url');
}
