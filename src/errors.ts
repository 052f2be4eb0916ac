/** Every error code, with the HTTP status and the title that go with it. Codes are stable; titles are for people. */
export const ERRORS = {
  config_invalid: { status: 500, title: 'The configuration is not valid' },
  invalid_request: { status: 400, title: 'The request is not valid' },
  invalid_otp: { status: 400, title: 'The code is not valid' },
  invalid_totp: { status: 400, title: 'The authenticator or recovery code is not valid' },
  token_missing: { status: 401, title: 'Sign-in required' },
  invalid_token: { status: 401, title: 'The access token is not valid' },
  invalid_refresh_token: { status: 401, title: 'The refresh token is not valid' },
  reauthentication_required: { status: 401, title: 'A more recent sign-in is required' },
  mfa_required: { status: 403, title: 'A second factor is required' },
  insufficient_scope: { status: 403, title: 'Not allowed' },
  cross_site_request: { status: 403, title: 'Cross-site request refused' },
  not_found: { status: 404, title: 'Not found' },
  method_not_allowed: { status: 405, title: 'Method not allowed' },
  conflict: { status: 409, title: 'Conflict' },
  payload_too_large: { status: 413, title: 'The request is too large' },
  unsupported_media_type: { status: 415, title: 'Unsupported media type' },
  rate_limited: { status: 429, title: 'Too many requests' },
  delivery_failed: { status: 502, title: 'The message could not be sent' },
  store_unavailable: { status: 503, title: 'Temporarily unavailable' },
} as const satisfies Record<string, { status: number; title: string }>;

/** @see ERRORS */
export type OtpAuthErrorCode = keyof typeof ERRORS;

/** One place in a request, or in a configuration, that is not as it should be. */
export interface Problem {
  path: string;
  message: string;
}

/** What an error tells besides its code; all of it is safe to show to anyone. */
export interface ErrorDetails {
  /** With `invalid_request` and `config_invalid`. */
  errors?: Problem[];
  /** Whole seconds until another try can succeed. With `rate_limited`, `store_unavailable`. */
  retryAfterSeconds?: number;
  /** With `reauthentication_required`: how old a sign-in may be. */
  maxAgeSeconds?: number;
  /** With `method_not_allowed`. */
  allow?: string[];
  /** With `mfa_required`. */
  mfaToken?: string;
  methods?: string[];
  /** What led to it: for the log and for programmers, never on the wire. */
  cause?: unknown;
}

/**
 * Every error that the package throws or answers with. Tell them apart by `code`, never by `instanceof`: an
 * application may hold two copies of the package.
 */
export class OtpAuthError extends Error {
  readonly code: OtpAuthErrorCode;
  readonly status: number;
  readonly title: string;
  readonly details: Omit<ErrorDetails, 'cause'>;

  constructor(code: OtpAuthErrorCode, message?: string, { cause, ...details }: ErrorDetails = {}) {
    super(message ?? ERRORS[code].title, cause === undefined ? undefined : { cause });
    this.name = 'OtpAuthError';
    this.code = code;
    this.status = ERRORS[code].status;
    this.title = ERRORS[code].title;
    this.details = details;
  }
}

/** Whether a caught value is an error of this package, also of another copy of it. */
export function isOtpAuthError(value: unknown): value is OtpAuthError {
  return value instanceof Error && value.name === 'OtpAuthError' && 'code' in value && String(value.code) in ERRORS;
}

/** The one answer for a store that is down, slow or not to be trusted. */
export function storeUnavailable(
  cause?: unknown,
  message = 'The service cannot answer right now. Try again in a moment.',
): OtpAuthError {
  return new OtpAuthError('store_unavailable', message, { retryAfterSeconds: 1, cause });
}
