import type { Request } from 'express';
import type { Change } from '../core/users/accounts.js';
import { preferredLanguage } from './request-otp.js';
import { requesterOf } from './requester.js';

/** Who changes something, and the language that they read, as far as the request tells. */
export function changeBy(req: Request): Change {
  return { requester: requesterOf(req), locale: preferredLanguage(req) };
}
