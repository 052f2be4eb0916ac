import type { Request, RequestHandler } from 'express';
import type { RequestOtp } from '../core/request-otp.js';
import { validBody } from './body.js';
import { handle } from './problem.js';
import { requesterOf } from './requester.js';
import type { Schemas } from './schemas.js';

/** `POST /request-otp` */
export function requestOtpEndpoint({
  requestOtp,
  schemas,
}: {
  requestOtp: RequestOtp;
  schemas: Schemas;
}): RequestHandler {
  return handle(async (req, res) => {
    const { identifier, locale } = validBody(schemas.requestOtp, req.body);
    const { expiresInSeconds, resendInSeconds } = await requestOtp({
      identifier,
      purpose: 'sign-in',
      locale: locale ?? preferredLanguage(req),
      requester: requesterOf(req),
    });
    res.json({ message: 'OTP sent successfully', expires_in: expiresInSeconds, resend_in: resendInSeconds });
  });
}

function preferredLanguage(req: Request): string {
  const [first = 'en'] = req.acceptsLanguages();
  return first === '*' ? 'en' : first;
}
