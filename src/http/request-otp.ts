import type { Request, RequestHandler } from 'express';
import type { Devices } from '../core/device.js';
import type { RequestOtp } from '../core/request-otp.js';
import { validBody } from './body.js';
import type { DeviceTokens } from './device-token.js';
import { handle } from './problem.js';
import { requesterOf } from './requester.js';
import { locale as languageTag, type Schemas } from './schemas.js';

/** `POST /request-otp` */
export function requestOtpEndpoint({
  requestOtp,
  schemas,
  devices,
  deviceTokens,
}: {
  requestOtp: RequestOtp;
  schemas: Schemas;
  devices: Devices;
  deviceTokens: DeviceTokens;
}): RequestHandler {
  return handle(async (req, res) => {
    const { identifier, locale, device_token } = validBody(schemas.requestOtp, req.body);
    const { expiresInSeconds, resendInSeconds } = await requestOtp({
      identifier,
      purpose: 'sign-in',
      locale: locale ?? preferredLanguage(req),
      requester: requesterOf(req),
      device: devices.recognise(deviceTokens.presented(req, device_token), identifier),
    });
    res.json({ message: 'OTP sent successfully', expires_in: expiresInSeconds, resend_in: resendInSeconds });
  });
}

/** The first that the browser names; it goes into messages, so it is held to what a body may say. */
export function preferredLanguage(req: Request): string {
  const named = languageTag.safeParse(req.acceptsLanguages()[0]);
  return named.data ?? 'en';
}
