import type { Request, RequestHandler, Response } from 'express';
import { z } from 'zod';
import type { Devices } from '../core/device.js';
import type { Identifier } from '../core/identifier.js';
import type { RevokeToken } from '../core/revoke-token.js';
import type { Sessions, SignIn } from '../core/sessions.js';
import type { VerifyOtp } from '../core/verify-otp.js';
import { isOtpAuthError, OtpAuthError, type OtpAuthErrorCode } from '../errors.js';
import type { DeviceTokens } from './device-token.js';
import type { IpLimit } from './ip-limits.js';
import { sendJson } from './json.js';
import { readInput } from './read-input.js';
import { requesterOf } from './requester.js';
import type { Route } from './router.js';

export interface OauthDeps {
  /** Reads a user name: an e-mail address or a phone number. */
  readIdentifier: (text: string) => Identifier | undefined;
  /** How many digits a code has. */
  codeLength: number;
  verifyOtp: VerifyOtp;
  sessions: Sessions;
  revokeToken: RevokeToken;
  /** On handing codes in. */
  verifiesPerIp: IpLimit;
  devices: Devices;
  deviceTokens: DeviceTokens;
}

/** `POST /token` (RFC 6749 §4.3 and §6) and `POST /revoke` (RFC 7009) */
export function oauthRoutes(deps: OauthDeps): Route[] {
  const grantTokens = createGrants(deps);

  const token = oauthHandler(async (req, res) => {
    const { accessToken, expiresIn, refreshToken } = await grantTokens(req, res);
    return { access_token: accessToken, token_type: 'bearer', expires_in: expiresIn, refresh_token: refreshToken };
  });

  const revoke = oauthHandler(async (req) => {
    const { token } = validForm(REVOCATION, req, 'Send token, and each parameter once.');
    await deps.revokeToken(token);
    return {};
  });

  return [
    { method: 'post', path: '/token', body: 'form', handlers: [token] },
    { method: 'post', path: '/revoke', body: 'form', handlers: [revoke] },
  ];
}

/** An error that only these two endpoints have. */
class OauthError extends Error {
  constructor(
    readonly error: 'invalid_request' | 'invalid_grant' | 'unsupported_grant_type',
    description: string,
  ) {
    super(description);
  }
}

// Parameters come once each, also those that mean nothing here; unknown ones are ignored (RFC 6749 §3.2).
const once = z.string().optional();
const meaningless = { scope: once, client_id: once, client_secret: once };
const username = z.string().min(1);
const password = z.string().min(1);
const refreshToken = z.string().min(1);
const GRANTS = {
  password: z.object({ username, password, device_token: once, ...meaningless }),
  refresh_token: z.object({ refresh_token: refreshToken, ...meaningless }),
};
const token = z.string().min(1);
const REVOCATION = z.object({ token, token_type_hint: once, client_id: once, client_secret: once });

/** The forms that the endpoints take, whole: for the API document. */
export const OAUTH_FORMS = {
  password: z.object({ grant_type: z.literal('password'), username, password, device_token: once }),
  refreshToken: z.object({ grant_type: z.literal('refresh_token'), refresh_token: refreshToken }),
  revocation: z.object({ token }),
};

function createGrants({ readIdentifier, codeLength, verifyOtp, sessions, verifiesPerIp, ...device }: OauthDeps) {
  // The code, and behind it, for users who have one, the authenticator app's.
  const codes = new RegExp(`^(?<code>[0-9]{${codeLength}})(?<totpCode>[0-9]{6})?$`);

  const byPassword = async (req: Request, res: Response): Promise<SignIn> => {
    await verifiesPerIp.check(req, res);
    const { username, password, device_token } = validForm(
      GRANTS.password,
      req,
      'Send username and password, and each parameter once.',
    );
    const identifier = readIdentifier(username);
    if (identifier === undefined)
      throw new OauthError('invalid_request', 'username must be an e-mail address or a phone number.');
    const { code, totpCode } = codes.exec(password)?.groups ?? {};
    if (code === undefined) throw new OtpAuthError('invalid_otp');
    return verifyOtp({
      identifier,
      code,
      totpCode,
      requester: requesterOf(req),
      // The code may have been asked for with it, and is then among its own.
      device: device.devices.recognise(device.deviceTokens.presented(req, device_token), identifier),
    });
  };
  const byRefreshToken = async (req: Request): Promise<SignIn> => {
    const { refresh_token } = validForm(GRANTS.refresh_token, req, 'Send refresh_token, and each parameter once.');
    return sessions.refresh(refresh_token, requesterOf(req));
  };
  const grants = new Map([
    ['password', byPassword],
    ['refresh_token', byRefreshToken],
  ]);

  return async (req: Request, res: Response): Promise<SignIn> => {
    const { grant_type } = validForm(z.object({ grant_type: z.string().min(1) }), req, 'Send grant_type, once.');
    const grant = grants.get(grant_type);
    if (grant === undefined)
      throw new OauthError('unsupported_grant_type', `grant_type may be ${[...grants.keys()].join(' or ')}.`);
    return grant(req, res);
  };
}

function validForm<Schema extends z.ZodType>(schema: Schema, req: Request, advice: string): z.output<Schema> {
  const read = readInput(schema, req.body ?? {});
  if ('data' in read) return read.data;
  throw new OauthError('invalid_request', advice);
}

/** Error codes of RFC 6749 §5.2; where it has none (limits, a store that is down), the package's own. */
const OAUTH_ERRORS: Partial<Record<OtpAuthErrorCode, string>> = {
  invalid_otp: 'invalid_grant',
  invalid_totp: 'invalid_grant',
  invalid_refresh_token: 'invalid_grant',
  mfa_required: 'invalid_grant',
};

/** Answers and fails in the form that OAuth 2.0 clients understand. */
function oauthHandler(handler: (req: Request, res: Response) => Promise<object>): RequestHandler {
  return (req, res, next) => {
    res.set('Pragma', 'no-cache'); // RFC 6749 §5.1
    handler(req, res).then(
      (answer) => sendJson(res, answer),
      (error: unknown) => {
        if (res.headersSent) return; // the application has given up on the request
        if (error instanceof OauthError) {
          sendJson(res.status(400), { error: error.error, error_description: error.message });
        } else if (isOtpAuthError(error)) {
          const { retryAfterSeconds } = error.details;
          const name = OAUTH_ERRORS[error.code];
          if (retryAfterSeconds !== undefined) res.set('Retry-After', String(retryAfterSeconds));
          res.status(name === undefined ? error.status : 400);
          sendJson(res, {
            error: name ?? error.code,
            error_description: error.message,
            retry_after: retryAfterSeconds,
          });
        } else {
          next(error);
        }
      },
    );
  };
}
