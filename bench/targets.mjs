// What is compared. Each makes an application with GET /me behind its guard; those that sign in have `signIn` routes.
import { createSecretKey, randomInt, randomUUID } from 'node:crypto';
import { betterAuth } from 'better-auth';
import { memoryAdapter } from 'better-auth/adapters/memory';
import { fromNodeHeaders, toNodeHandler } from 'better-auth/node';
import { emailOTP } from 'better-auth/plugins';
import express from 'express';
import { otpAuth } from 'express-otp-auth';
import { expressjwt } from 'express-jwt';
import { Redis } from 'ioredis';
import jsonwebtoken from 'jsonwebtoken';
import passport from 'passport';
import { ExtractJwt, Strategy } from 'passport-jwt';

const SECRET = 'a secret for the benchmark, of more than thirty-two bytes';
const KEY = createSecretKey(Buffer.from(SECRET));
const HOUR = 3600;

const answer = (req, res) => res.json({ ok: true });
const signToken = (email) =>
  jsonwebtoken.sign({ sub: email, jti: randomUUID() }, KEY, { algorithm: 'HS256', expiresIn: HOUR });

/** GET /bench/token?email= gives a token, POST /bench/revoke kills it: how the load and the checks get at them. */
function benchRoutes(app, { token, revoke, code }) {
  app.get('/bench/token', (req, res, next) => {
    token(String(req.query.email)).then((value) => res.send(value), next);
  });
  app.post('/bench/revoke', (req, res, next) => {
    revoke(req.headers).then(() => res.end(), next);
  });
  app.get('/bench/code', (req, res) => res.send(code(String(req.query.email))));
}

const bearer = ({ authorization }) => authorization.slice('Bearer '.length);
const notRevocable = async () => {};

function withoutRevocation(guard) {
  const app = express();
  app.get('/me', ...guard, answer);
  benchRoutes(app, { token: async (email) => signToken(email), revoke: notRevocable, code: () => '' });
  return { app };
}

function verifyWith(key) {
  return (req, res, next) => {
    try {
      req.user = jsonwebtoken.verify(bearer(req.headers), key, { algorithms: ['HS256'] });
      next();
    } catch {
      res.status(401).end();
    }
  };
}

const blacklist = (redis) => ({
  isRevoked: async (payload) => (await redis.get(`blacklist_${payload.jti}`)) !== null,
  revoke: async (headers) => {
    await redis.set(`blacklist_${jsonwebtoken.decode(bearer(headers)).jti}`, '1', 'EX', HOUR);
  },
});

function expressOtpAuth(options) {
  return async ({ redisUrl }) => {
    const codes = new Map();
    const auth = otpAuth({
      redis: redisUrl,
      jwt: { secret: SECRET, ...options.jwt },
      revocation: options.revocation ?? 'check',
      limits: { requestsPerIpPerMinute: 1_000_000, verifiesPerIpPerMinute: 1_000_000 },
      email: { send: ({ to, text }) => codes.set(to, /\d{6}/.exec(text)[0]) },
    });
    const app = express();
    app.use('/auth', auth);
    app.get('/me', auth.requireUser, answer);
    benchRoutes(app, {
      token: async (email) => {
        await auth.api.requestOtp({ email });
        return (await auth.api.verifyOtp({ email, otp: codes.get(email) })).accessToken;
      },
      revoke: async (headers) => {
        await auth.api.logout({ accessToken: bearer(headers) });
      },
      code: (email) => codes.get(email),
    });
    return { app };
  };
}

export const targets = {
  bare: async () => withoutRevocation([]),

  'jsonwebtoken, key object': async () => withoutRevocation([verifyWith(KEY)]),

  'jsonwebtoken, string': async () => withoutRevocation([verifyWith(SECRET)]),

  'express-jwt + ioredis': async ({ redisUrl }) => {
    const { isRevoked, revoke } = blacklist(new Redis(redisUrl));
    const app = express();
    const guard = expressjwt({
      secret: KEY,
      algorithms: ['HS256'],
      isRevoked: (req, token) => isRevoked(token.payload),
    });
    app.get('/me', guard, answer);
    benchRoutes(app, { token: async (email) => signToken(email), revoke, code: () => '' });
    app.use((error, req, res, _next) => res.status(error.status ?? 500).end());
    return { app };
  },

  'passport-jwt + ioredis': async ({ redisUrl }) => {
    const { isRevoked, revoke } = blacklist(new Redis(redisUrl));
    const options = {
      jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
      secretOrKey: SECRET,
      algorithms: ['HS256'],
    };
    passport.use(
      new Strategy(options, (payload, done) => {
        void isRevoked(payload).then((revoked) => done(null, revoked ? false : { id: payload.sub }), done);
      }),
    );
    const app = express();
    app.get('/me', passport.authenticate('jwt', { session: false }), answer);
    benchRoutes(app, { token: async (email) => signToken(email), revoke, code: () => '' });
    return { app };
  },

  'better-auth': async ({ redisUrl }) => {
    const redis = new Redis(redisUrl, { keyPrefix: 'better_' });
    const codes = new Map();
    const auth = betterAuth({
      secret: SECRET,
      baseURL: 'http://127.0.0.1',
      trustedOrigins: ['http://127.0.0.1'],
      database: memoryAdapter({ user: [], session: [], account: [], verification: [] }),
      secondaryStorage: {
        get: (key) => redis.get(key),
        getAndDelete: (key) => redis.getdel(key),
        increment: async (key, ttl) => {
          const count = await redis.incr(key);
          if (count === 1) await redis.expire(key, ttl);
          return count;
        },
        set: (key, value, ttl) => (ttl ? redis.set(key, value, 'EX', ttl) : redis.set(key, value)),
        delete: async (key) => {
          await redis.del(key);
        },
      },
      rateLimit: { enabled: false },
      logger: { disabled: true },
      telemetry: { enabled: false },
      plugins: [emailOTP({ sendVerificationOTP: async ({ email, otp }) => void codes.set(email, otp) })],
    });
    const app = express();
    app.all('/api/auth/*path', toNodeHandler(auth));
    app.get('/me', async (req, res) => {
      const session = await auth.api.getSession({ headers: fromNodeHeaders(req.headers) });
      if (session) answer(req, res);
      else res.status(401).end();
    });
    const signIn = async (email) => {
      await auth.api.sendVerificationOTP({ body: { email, type: 'sign-in' } });
      const { headers } = await auth.api.signInEmailOTP({
        body: { email, otp: codes.get(email) },
        returnHeaders: true,
      });
      return headers
        .getSetCookie()
        .map((cookie) => cookie.split(';')[0])
        .join('; ');
    };
    benchRoutes(app, {
      token: signIn,
      revoke: async (headers) => {
        await auth.api.signOut({ headers: fromNodeHeaders(headers) });
      },
      code: (email) => codes.get(email),
    });
    return { app };
  },

  'hand-written': async ({ redisUrl }) => {
    // What many applications have: no limits, no hashing, no rotation, nothing atomic.
    const redis = new Redis(redisUrl);
    const codes = new Map();
    const app = express();
    app.post('/auth/request-otp', express.json(), async (req, res) => {
      const code = String(randomInt(1_000_000)).padStart(6, '0');
      await redis.set(`otp_${req.body.email}`, code, 'EX', 300);
      codes.set(req.body.email, code);
      res.json({ message: 'OTP sent successfully' });
    });
    app.post('/auth/verify-otp', express.json(), async (req, res) => {
      const { email, otp } = req.body;
      if ((await redis.get(`otp_${email}`)) !== otp) {
        res.status(400).end();
        return;
      }
      await redis.del(`otp_${email}`);
      const refresh = jsonwebtoken.sign({ sub: email, jti: randomUUID() }, KEY, {
        algorithm: 'HS256',
        expiresIn: 7 * 24 * HOUR,
      });
      res.cookie('refresh_token', refresh, { httpOnly: true, sameSite: 'lax' });
      res.json({ access_token: signToken(email) });
    });
    const { isRevoked, revoke } = blacklist(redis);
    app.get('/me', verifyWith(KEY), async (req, res) => {
      if (await isRevoked(req.user)) res.status(401).end();
      else answer(req, res);
    });
    benchRoutes(app, { token: async (email) => signToken(email), revoke, code: (email) => codes.get(email) });
    return { app };
  },

  'express-otp-auth, check': expressOtpAuth({}),
  'express-otp-auth, check, no cache': expressOtpAuth({ jwt: { verifiedTokenCache: 0 } }),
  'express-otp-auth, push': expressOtpAuth({ revocation: 'push' }),
};

export const GUARDS = [
  'bare',
  'jsonwebtoken, key object',
  'jsonwebtoken, string',
  'express-jwt + ioredis',
  'passport-jwt + ioredis',
  'better-auth',
  'express-otp-auth, check',
  'express-otp-auth, check, no cache',
  'express-otp-auth, push',
];
export const REVOCABLE = GUARDS.filter((name) => /ioredis|better|otp/.test(name));
export const SIGN_INS = ['hand-written', 'better-auth', 'express-otp-auth, check'];

/** How a client shows a target's token. */
export const credentials = (name, token) =>
  name === 'better-auth' ? { cookie: token } : { authorization: `Bearer ${token}` };

/** The two requests of a sign-in. */
export const signInPaths = (name) =>
  name === 'better-auth'
    ? {
        ask: ['/api/auth/email-otp/send-verification-otp', (email) => ({ email, type: 'sign-in' })],
        verify: ['/api/auth/sign-in/email-otp', (email, otp) => ({ email, otp })],
      }
    : {
        ask: ['/auth/request-otp', (email) => ({ email })],
        verify: ['/auth/verify-otp', (email, otp) => ({ email, otp })],
      };
