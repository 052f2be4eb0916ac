import type { Request, RequestHandler } from 'express';
import { z } from 'zod';
import type { Devices } from '../core/device.js';
import type { EndReplaced } from '../core/end-replaced.js';
import type { Enrolment } from '../core/totp/enrolment.js';
import type { MfaChallenge } from '../core/totp/mfa-challenge.js';
import type { FactorAttempt } from '../core/totp/second-factor.js';
import { validBody } from './body.js';
import { changeBy } from './change-by.js';
import type { DeviceTokens } from './device-token.js';
import { sendJson } from './json.js';
import { handle } from './problem.js';
import type { RefreshCookie } from './refresh-cookie.js';
import type { Guards } from './require-user.js';
import type { Route } from './router.js';
import { signedIn } from './sessions.js';
import { answerSignIn } from './verify-otp.js';

const appCode = z.string().regex(/^[0-9]{6}$/, 'must be a string of 6 digits');
const eitherCode = { code: appCode.optional(), recovery_code: z.string().min(1).max(64).optional() };
type EitherCode = z.output<z.ZodObject<typeof eitherCode>>;
const hasOne = ({ code, recovery_code }: EitherCode) => (code === undefined) !== (recovery_code === undefined);
const ONE_OF_THEM = { path: ['code'], message: 'is required, or recovery_code in its place' };

/** Bodies that the endpoints take. */
export const totpBodies = {
  code: z.object({ code: appCode }),
  eitherCode: z.object(eitherCode).refine(hasOne, ONE_OF_THEM),
  verify: z
    .object({
      mfa_token: z.string().min(1),
      ...eitherCode,
      token_transport: z.enum(['cookie', 'body']).default('cookie'),
      device_token: z.string().nullish(),
    })
    .refine(hasOne, ONE_OF_THEM),
};

function attemptOf({ code, recovery_code }: EitherCode): FactorAttempt {
  return code === undefined ? { recoveryCode: recovery_code ?? '' } : { code };
}

/** The same, for functions. */
export const readTotpInput = {
  code: (body: object) => validBody(totpBodies.code, body).code,
  eitherCode: (body: object) => attemptOf(validBody(totpBodies.eitherCode, body)),
  verify(body: object) {
    const read = validBody(totpBodies.verify, body);
    return { mfaToken: read.mfa_token, attempt: attemptOf(read) };
  },
};

export interface TotpDeps {
  enrolment: Enrolment;
  challenge: MfaChallenge;
  guards: Guards;
  /** Those that let a user pass who is yet to enrol. */
  enrolmentGuards: Guards;
  sameOrigin: RequestHandler;
  /** The limit on handing codes in. */
  verifiesPerIp: RequestHandler;
  cookie: RefreshCookie;
  endReplaced: EndReplaced;
  devices: Devices;
  deviceTokens: DeviceTokens;
}

/** `POST /totp/enroll`, `/totp/confirm`, `/totp/verify`, `/totp/recovery-codes` and `/totp/disable` */
export function totpRoutes(deps: TotpDeps): Route[] {
  const { enrolment, challenge, guards, enrolmentGuards } = deps;
  const codeOf = (req: Request) => validBody(totpBodies.code, req.body).code;

  const enroll = handle(async (req, res) => {
    const { secret, uri, qrCode } = await enrolment.enroll(signedIn(req).id);
    sendJson(res, { secret, uri, qr_code: qrCode });
  });
  const confirm = handle(async (req, res) => {
    const { id, sessionId } = signedIn(req);
    const { recoveryCodes } = await enrolment.confirm({ userId: id, sessionId }, codeOf(req), changeBy(req));
    sendJson(res, { recovery_codes: recoveryCodes });
  });
  const verify = handle(async (req, res) => {
    const body = validBody(totpBodies.verify, req.body);
    const { identifier, ...signIn } = await challenge.answer(body.mfa_token, attemptOf(body), changeBy(req));
    const presented = deps.deviceTokens.presented(req, body.device_token);
    const deviceToken = deps.devices.remember(presented, identifier);
    await answerSignIn(req, res, deps, { ...signIn, deviceToken }, body.token_transport);
  });
  const renew = handle(async (req, res) => {
    const { recoveryCodes } = await enrolment.renewRecoveryCodes(signedIn(req).id, codeOf(req), changeBy(req));
    sendJson(res, { recovery_codes: recoveryCodes });
  });
  const disable = handle(async (req, res) => {
    const attempt = attemptOf(validBody(totpBodies.eitherCode, req.body));
    await enrolment.disable(signedIn(req).id, attempt, changeBy(req));
    res.status(204).end();
  });

  const post = (path: string, ...handlers: RequestHandler[]): Route => ({ method: 'post', path, handlers });
  return [
    post('/totp/enroll', enrolmentGuards.requireUser, enrolmentGuards.requireRecent(), enroll),
    post('/totp/confirm', enrolmentGuards.requireUser, deps.verifiesPerIp, confirm),
    { method: 'post', path: '/totp/verify', first: [deps.sameOrigin], handlers: [deps.verifiesPerIp, verify] },
    post('/totp/recovery-codes', guards.requireUser, deps.verifiesPerIp, renew),
    post('/totp/disable', guards.requireUser, deps.verifiesPerIp, disable),
  ];
}
