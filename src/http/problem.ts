import type { Request, RequestHandler, Response } from 'express';
import { isOtpAuthError, type OtpAuthError, type OtpAuthErrorCode } from '../errors.js';

const REALM = 'express-otp-auth';

/** Answers with an error as RFC 9457 has it, and with the header fields that go with its status. */
export function sendProblem(res: Response, error: OtpAuthError): void {
  if (res.headersSent) return; // the application has given up on the request
  const { details } = error;
  res.status(error.status);
  res.set('Cache-Control', 'no-store');
  const challenge = challengeOf(error);
  if (challenge !== undefined) res.append('WWW-Authenticate', challenge);
  if (details.retryAfterSeconds !== undefined) res.set('Retry-After', String(details.retryAfterSeconds));
  if (details.allow !== undefined) res.set('Allow', details.allow.join(', '));
  res.type('application/problem+json').send(
    JSON.stringify({
      type: `urn:express-otp-auth:error:${error.code}`,
      title: error.title,
      status: error.status,
      detail: error.message,
      code: error.code,
      errors: details.errors,
      retry_after: details.retryAfterSeconds,
      max_age: details.maxAgeSeconds,
      mfa_token: details.mfaToken,
      methods: details.methods,
    }),
  );
}

/**
 * An asynchronous handler for Express 4 as well, which ignores rejections. The package's errors become answers;
 * any other is the application's error handler's business.
 */
export function handle(handler: (req: Request, res: Response) => Promise<unknown>): RequestHandler {
  return (req, res, next) => {
    handler(req, res).catch((error: unknown) => {
      if (isOtpAuthError(error)) sendProblem(res, error);
      else next(error);
    });
  };
}

/** The error codes of RFC 6750 §3.1, and of RFC 9470 for a sign-in that is too old; with nothing presented there is none. */
const CHALLENGES: Partial<Record<OtpAuthErrorCode, string | null>> = {
  token_missing: null,
  invalid_token: 'invalid_token',
  invalid_refresh_token: 'invalid_token',
  reauthentication_required: 'insufficient_user_authentication',
  insufficient_scope: 'insufficient_scope',
};

function challengeOf({ code, message, details }: OtpAuthError): string | undefined {
  const error = CHALLENGES[code];
  if (error === undefined) return undefined;
  const bearer = `Bearer realm="${REALM}"`;
  if (error === null) return bearer;
  const age = details.maxAgeSeconds === undefined ? '' : `, max_age=${details.maxAgeSeconds}`;
  return `${bearer}, error="${error}", error_description="${message}"${age}`;
}
