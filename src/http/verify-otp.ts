import type { Request, RequestHandler, Response } from 'express';
import type { SignIn } from '../core/sessions.js';
import type { VerifyOtp } from '../core/verify-otp.js';
import { validBody } from './body.js';
import { handle } from './problem.js';
import type { RefreshCookie } from './refresh-cookie.js';
import { requesterOf } from './requester.js';
import type { Schemas } from './schemas.js';

/** `POST /verify-otp` */
export function verifyOtpEndpoint(deps: {
  verifyOtp: VerifyOtp;
  schemas: Schemas;
  cookie: RefreshCookie;
}): RequestHandler {
  return handle(async (req, res) => {
    const { identifier, otp, token_transport } = validBody(deps.schemas.verifyOtp, req.body);
    const signIn = await deps.verifyOtp({ identifier, code: otp, requester: requesterOf(req) });
    answerSignIn(req, res, deps.cookie, signIn, token_transport);
  });
}

/** The answer of every endpoint that signs in. */
export function answerSignIn(
  req: Request,
  res: Response,
  cookie: RefreshCookie,
  { accessToken, expiresIn, refreshToken, refreshExpiresIn }: SignIn,
  transport: 'cookie' | 'body',
): void {
  if (transport === 'cookie') cookie.set(req, res, refreshToken, refreshExpiresIn);
  res.json({
    message: 'OTP verified successfully!',
    access_token: accessToken,
    token_type: 'bearer',
    expires_in: expiresIn,
    ...(transport === 'body' ? { refresh_token: refreshToken } : {}),
  });
}
