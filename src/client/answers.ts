import type { OtpAuthErrorCode } from '../errors.js';

/** What every method resolves to: exactly one of the two is not `null`. */
export type Result<Data> = { data: Data; error: null } | { data: null; error: OtpClientError };

/** Where a code goes: one of the two. */
export type Address = { email: string; phoneNumber?: undefined } | { phoneNumber: string; email?: undefined };

/** A code of an authenticator application, or a recovery code. */
export type SecondFactor = { code: string; recoveryCode?: undefined } | { recoveryCode: string; code?: undefined };

/** A code is on its way. */
export interface RequestedOtp {
  message: string;
  /** How long the code works, in seconds. */
  expiresIn: number;
  /** When the next one may be asked for, in seconds. */
  resendIn: number;
}

/** What signing in and refreshing give. */
export interface SignedIn {
  user: OtpUser;
  accessToken: string;
  /** The life of the access token, in seconds. */
  expiresIn: number;
}

/** Who is signed in, as the access token says. The object stays the same for as long as nothing in it changes. */
export interface OtpUser {
  /** The user store's id; without one, the canonical e-mail address or phone number. */
  id: string;
  email?: string;
  phoneNumber?: string;
  roles: string[];
  sessionId: string;
  /** When the user signed in, in seconds since the epoch (OpenID Connect `auth_time`). */
  authTime: number;
  /** How: `['otp']`, `['otp', 'totp']` (RFC 8176). */
  amr: string[];
  /** What the server's option `claims` adds to access tokens, and `iss` and `aud` where they are set. */
  claims: Record<string, unknown>;
}

/** One member of a request that is not as it should be. */
export interface FieldProblem {
  path: string;
  message: string;
}

/** Why a method failed. Tell the failures apart by `code`; `message` is for people. */
export type OtpClientError =
  | (Failure<'invalid_request'> & { errors: FieldProblem[] })
  | (Failure<'rate_limited' | 'store_unavailable'> & { retryAfter: number })
  /** The code was right, and a second factor is outstanding: hand `mfaToken` to `verifyTotp`. */
  | (Failure<'mfa_required'> & { mfaToken: string; methods: string[] })
  | Failure<
      Exclude<
        OtpAuthErrorCode,
        'config_invalid' | 'invalid_request' | 'rate_limited' | 'store_unavailable' | 'mfa_required'
      >
    >
  /** The server could not be reached, or did not answer in time. Nobody is signed out by that. */
  | (Failure<'network_error'> & { cause: unknown })
  /** Something else than the package answered, such as a proxy's error page; see `status`. Nobody is signed out by that. */
  | Failure<'unexpected_response'>
  /** The option `storage` failed. */
  | (Failure<'storage_error'> & { cause: unknown });

/** @see OtpClientError */
export type OtpClientErrorCode = OtpClientError['code'];

interface Failure<Code> {
  code: Code;
  message: string;
  /** Of the HTTP answer, where there was one. */
  status?: number | undefined;
  /** Whole seconds until another try can succeed, where that is known. */
  retryAfter?: number | undefined;
}
