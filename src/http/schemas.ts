import { z } from 'zod';
import type { Identifier, ReadIdentifier } from '../core/identifier.js';

/** `email` or `phone_number`, one of the two, as the canonical identifier. */
export const identified = { email: z.string().optional(), phone_number: z.string().optional() };

const tokenTransport = z.enum(['cookie', 'body']).default('cookie');

/** Whatever it holds: nothing but a good one makes a difference. */
const deviceToken = z.string().nullish();

/** The language tag of a message (BCP 47), bounded. */
export const locale = z
  .string()
  .max(35)
  .regex(/^[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*$/, 'must be a language tag such as "de" or "pt-BR"')
  .optional();

/** Bodies that the endpoints take; made once, at start-up. */
export function createSchemas({ codeLength, read }: { codeLength: number; read: ReadIdentifier }) {
  const withIdentifier = identifierReader(read);
  const otp = z.string().regex(new RegExp(`^[0-9]{${codeLength}}$`), `must be a string of ${codeLength} digits`);
  return {
    requestOtp: z.object({ ...identified, locale, device_token: deviceToken }).transform(withIdentifier),
    verifyOtp: z
      .object({ ...identified, otp, token_transport: tokenTransport, device_token: deviceToken })
      .transform(withIdentifier),
    refreshToken: z.object({ refresh_token: z.string().min(1).optional() }),
  };
}

export type Schemas = ReturnType<typeof createSchemas>;

export interface Identified {
  email?: string | undefined;
  phone_number?: string | undefined;
}

/** Reads the one of the two that is there, and leaves the rest of the body as it is. */
export function identifierReader(read: ReadIdentifier) {
  return <Body extends Identified>(
    { email, phone_number, ...rest }: Body,
    context: z.RefinementCtx,
  ): Omit<Body, keyof Identified> & { identifier: Identifier } => {
    const refuse = (path: string, message: string) => {
      context.addIssue({ code: 'custom', path: [path], message, input: undefined });
      return z.NEVER;
    };
    if (email !== undefined && phone_number !== undefined) return refuse('phone_number', 'must not come with an email');
    if (phone_number !== undefined) {
      const identifier = read.phoneNumber(phone_number);
      return identifier === undefined
        ? refuse('phone_number', 'is not a phone number that codes are sent to')
        : { ...rest, identifier };
    }
    if (email === undefined) return refuse('email', 'is required');
    const identifier = read.email(email);
    return identifier === undefined ? refuse('email', 'must be one plain e-mail address') : { ...rest, identifier };
  };
}
