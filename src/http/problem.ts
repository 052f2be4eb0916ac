import type { Request, RequestHandler, Response } from 'express';
import { isOtpAuthError, OtpAuthError } from '../errors.js';

const REALM = 'express-otp-auth';

/** Answers with an error as RFC 9457 has it, and with the header fields that go with its status. */
export function sendProblem(res: Response, error: OtpAuthError): void {
  const { details } = error;
  res.status(error.status);
  res.set('Cache-Control', 'no-store');
  if (error.status === 401) res.append('WWW-Authenticate', challenge(error));
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

/** RFC 6750 §3; with nothing presented, no error code (§3.1). RFC 9470 for a sign-in that is too old. */
function challenge({ code, message, details }: OtpAuthError): string {
  const bearer = `Bearer realm="${REALM}"`;
  if (code === 'token_missing') return bearer;
  const [error, more] =
    code === 'reauthentication_required'
      ? ['insufficient_user_authentication', `, max_age=${details.maxAgeSeconds}`]
      : ['invalid_token', ''];
  return `${bearer}, error="${error}", error_description="${message}"${more}`;
}
