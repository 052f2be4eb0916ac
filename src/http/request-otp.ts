import type { Request, RequestHandler } from 'express';
import type { Devices } from '../core/device.js';
import type { Identifier } from '../core/identifier.js';
import type { RequestOtp } from '../core/request-otp.js';
import { validBody } from './body.js';
import type { DeviceTokens } from './device-token.js';
import type { StartedSignIn } from './pages/start-sign-in.js';
import { sendJson } from './json.js';
import { handle } from './problem.js';
import { requesterOf } from './requester.js';
import { locale as languageTag, type Schemas } from './schemas.js';

/** `POST /request-otp` */
export function requestOtpEndpoint({
  requestOtp,
  schemas,
  devices,
  deviceTokens,
  startSignIn,
}: {
  requestOtp: RequestOtp;
  schemas: Schemas;
  devices: Devices;
  deviceTokens: DeviceTokens;
  /** Where messages hold links, which work in the browser that asks. */
  startSignIn?: ((req: Request, identifier: Identifier) => StartedSignIn | undefined) | undefined;
}): RequestHandler {
  return handle(async (req, res) => {
    const { identifier, locale, device_token } = validBody(schemas.requestOtp, req.body);
    const started = startSignIn?.(req, identifier);
    const { expiresInSeconds, resendInSeconds } = await requestOtp({
      identifier,
      purpose: 'sign-in',
      locale: locale ?? preferredLanguage(req),
      requester: requesterOf(req),
      device: devices.recognise(deviceTokens.presented(req, device_token), identifier),
      link: started?.link,
    });
    started?.keep(res, resendInSeconds);
    sendJson(res, { message: 'OTP sent successfully', expires_in: expiresInSeconds, resend_in: resendInSeconds });
  });
}

/** The first that the browser names; it goes into messages, so it is held to what a body may say. */
export function preferredLanguage(req: Request): string {
  const named = languageTag.safeParse(req.acceptsLanguages()[0]);
  return named.data ?? 'en';
}
