import express from 'express';
import { otpAuth } from 'express-otp-auth';
import { addBenchRoutes, answer, bearer, SECRET } from './common.mjs';

const everybodyFromOneAddress = { requestsPerIpPerMinute: 1_000_000, verifiesPerIpPerMinute: 1_000_000 };

/** @param optionsFor - What differs from a plain configuration, given where Redis and the mail server are. */
export function startWith(optionsFor) {
  return async (place) => {
    const options = optionsFor(place);
    const codes = new Map();
    const auth = otpAuth({
      redis: place.redisUrl,
      limits: everybodyFromOneAddress, // they are counted all the same
      email: { send: ({ to, text }) => codes.set(to, /\d{6}/.exec(text)[0]) },
      ...options,
      jwt: { secret: SECRET, ...options.jwt },
    });
    const app = express();
    app.use('/auth', auth);
    app.get('/me', auth.requireUser, answer);
    return addBenchRoutes(app, {
      codes,
      token: async (email) => {
        await auth.api.requestOtp({ email });
        const { accessToken } = await auth.api.verifyOtp({ email, otp: codes.get(email) });
        codes.delete(email);
        return accessToken;
      },
      revoke: async (headers) => {
        await auth.api.logout({ accessToken: bearer(headers) });
      },
    });
  };
}

export const check = startWith(() => ({ revocation: 'check' }));
export const checkWithoutCache = startWith(() => ({ revocation: 'check', jwt: { verifiedTokenCache: 0 } }));
export const push = startWith(() => ({ revocation: 'push' }));
export const pushWithoutCache = startWith(() => ({ revocation: 'push', jwt: { verifiedTokenCache: 0 } }));
