import type { Request, Response } from 'express';
import { isOtpAuthError, type OtpAuthError } from '../../errors.js';
import type { PageError, Surroundings, View } from './views.js';

/** One request for a page, with all that its answer needs. */
export interface Visit {
  req: Request;
  res: Response;
  around: Surroundings;
  /** Where the user goes after signing in. */
  next: string;
  send: (view: View, status?: number) => void;
}

/** The errors that a page tells of, and in which words. */
const ERROR_TEXTS: Partial<Record<OtpAuthError['code'], PageError['text']>> = {
  invalid_otp: 'otpError',
  invalid_totp: 'totpError',
  rate_limited: 'limitError',
  delivery_failed: 'deliveryError',
  store_unavailable: 'unavailableError',
};

/** Shows what was refused, with the status and the header fields that an endpoint would answer with. */
export async function sendRefusal(
  { res, send }: Visit,
  error: unknown,
  view: (shown: PageError) => View | Promise<View>,
): Promise<void> {
  const text = isOtpAuthError(error) ? ERROR_TEXTS[error.code] : undefined;
  if (!isOtpAuthError(error) || text === undefined) throw error;
  const { retryAfterSeconds } = error.details;
  if (retryAfterSeconds !== undefined) res.set('Retry-After', String(retryAfterSeconds));
  send(await view({ text, retryAfterSeconds }), error.status);
}
