import { z } from 'zod';
import { ERRORS, type OtpAuthErrorCode } from '../../errors.js';

const seconds = (what: string) =>
  z
    .int()
    .min(0)
    .meta({ description: `${what}, in seconds` });
const time = z.string().meta({ format: 'date-time' });
const accessToken = z.string().meta({ description: 'A JWT: send it as `Authorization: Bearer …`' });
const tokens = {
  access_token: accessToken,
  token_type: z.literal('bearer'),
  expires_in: seconds('Life of the access token'),
};
const codes = Object.keys(ERRORS).filter((code) => code !== 'config_invalid') as [OtpAuthErrorCode];

const User = z.object({
  id: z.string(),
  email: z.string().nullable(),
  phone_number: z.string().nullable(),
  full_name: z.string().nullable(),
  roles: z.array(z.string()),
  disabled: z.boolean(),
  totp_enabled: z.boolean(),
  created_at: time,
});

const Session = z.object({
  id: z.string().meta({ description: 'No credential' }),
  current: z.boolean().meta({ description: 'Whether it is the session of the token that asks' }),
  created_at: time,
  last_used_at: time,
  expires_at: time,
  ip: z.string().nullable(),
  user_agent: z.string().nullable(),
});

/** What the endpoints answer with, by the names that the document gives it. */
export const ANSWERS = {
  Message: z.object({ message: z.string() }),
  CodeSent: z.object({
    message: z.string(),
    expires_in: seconds('Life of the code'),
    resend_in: seconds('When another code may be asked for'),
  }),
  SignedIn: z.object({
    message: z.string(),
    ...tokens,
    refresh_token: z.string().optional().meta({ description: 'With `token_transport: "body"`' }),
    device_token: z
      .string()
      .optional()
      .meta({ description: 'With `token_transport: "body"`: hand it in with the next sign-in' }),
  }),
  Refreshed: z.object({
    ...tokens,
    refresh_token: z.string().optional().meta({ description: 'Where the old one came in the body' }),
  }),
  LoggedOutEverywhere: z.object({ message: z.string(), sessions: z.int().min(0) }),
  Session,
  Sessions: z.object({ data: z.array(Session), count: z.int().min(0) }),
  OauthTokens: z.object({ ...tokens, refresh_token: z.string() }),
  OauthError: z.object({
    error: z.string().meta({ description: 'RFC 6749 §5.2; where that has none, a `code` of `Problem`' }),
    error_description: z.string(),
    retry_after: seconds('When to try again').optional(),
  }),
  Nothing: z.object({}),
  Jwks: z.object({ keys: z.array(z.looseObject({ kty: z.string(), kid: z.string(), alg: z.string() })) }),
  OpenApi: z.looseObject({ openapi: z.string() }),
  User,
  Users: z.object({ data: z.array(User), count: z.int().min(0).meta({ description: 'On all pages together' }) }),
  TotpEnrolment: z.object({
    secret: z.string().meta({ description: 'Base32' }),
    uri: z.string().meta({ description: '`otpauth://`', format: 'uri' }),
    qr_code: z.string().meta({ description: 'The URI as a PNG data URL' }),
  }),
  RecoveryCodes: z.object({ recovery_codes: z.array(z.string()) }),
  Problem: z
    .object({
      type: z.string().meta({ format: 'uri' }),
      title: z.string(),
      status: z.int(),
      detail: z.string().meta({ description: 'For people' }),
      code: z.enum(codes).meta({ description: 'Stable' }),
      errors: z
        .array(z.object({ path: z.string(), message: z.string() }))
        .optional()
        .meta({ description: 'With `invalid_request`' }),
      retry_after: z
        .int()
        .min(0)
        .optional()
        .meta({ description: 'With `rate_limited` and `store_unavailable`: whole seconds' }),
      max_age: z.int().optional().meta({ description: 'With `reauthentication_required`: seconds (RFC 9470)' }),
      mfa_token: z
        .string()
        .optional()
        .meta({ description: 'With `mfa_required`: for `/totp/verify`, and for nothing else' }),
      methods: z.array(z.string()).optional().meta({ description: 'With `mfa_required`' }),
    })
    .meta({ description: 'An error as RFC 9457 has it' }),
} as const;

export type AnswerName = keyof typeof ANSWERS;
