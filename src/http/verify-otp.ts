import type { Request, RequestHandler, Response } from 'express';
import type { Devices } from '../core/device.js';
import type { EndReplaced } from '../core/end-replaced.js';
import type { SignIn } from '../core/sessions.js';
import type { VerifyOtp } from '../core/verify-otp.js';
import { validBody } from './body.js';
import type { DeviceTokens } from './device-token.js';
import { sendJson } from './json.js';
import { handle } from './problem.js';
import type { RefreshCookie } from './refresh-cookie.js';
import { requesterOf } from './requester.js';
import type { Schemas } from './schemas.js';

/** `POST /verify-otp` */
export function verifyOtpEndpoint(deps: {
  verifyOtp: VerifyOtp;
  schemas: Schemas;
  cookie: RefreshCookie;
  devices: Devices;
  deviceTokens: DeviceTokens;
  endReplaced: EndReplaced;
}): RequestHandler {
  return handle(async (req, res) => {
    const { identifier, otp, token_transport, device_token } = validBody(deps.schemas.verifyOtp, req.body);
    const presented = deps.deviceTokens.presented(req, device_token);
    const signIn = await deps.verifyOtp({
      identifier,
      code: otp,
      requester: requesterOf(req),
      device: deps.devices.recognise(presented, identifier),
    });
    const deviceToken = deps.devices.remember(presented, identifier);
    await answerSignIn(req, res, deps, { ...signIn, deviceToken }, token_transport);
  });
}

/** The answer of every endpoint that signs in. */
export async function answerSignIn(
  req: Request,
  res: Response,
  {
    cookie,
    deviceTokens,
    endReplaced,
  }: { cookie: RefreshCookie; deviceTokens: DeviceTokens; endReplaced: EndReplaced },
  signIn: SignIn & { deviceToken: string },
  transport: 'cookie' | 'body',
): Promise<void> {
  const { accessToken, expiresIn, refreshToken, deviceToken } = signIn;
  if (transport === 'cookie') {
    await endReplaced(cookie.read(req), signIn, requesterOf(req));
    cookie.set(req, res, signIn);
  }
  const deviceMember = deviceTokens.hand(req, res, deviceToken, transport);
  sendJson(res, {
    message: 'OTP verified successfully!',
    access_token: accessToken,
    token_type: 'bearer',
    expires_in: expiresIn,
    ...(transport === 'body' ? { refresh_token: refreshToken } : {}),
    ...deviceMember,
  });
}
