import { betterAuth } from 'better-auth';
import { memoryAdapter } from 'better-auth/adapters/memory';
import { fromNodeHeaders, toNodeHandler } from 'better-auth/node';
import { emailOTP } from 'better-auth/plugins';
import express from 'express';
import { Redis } from 'ioredis';
import { addBenchRoutes, answer, SECRET } from './common.mjs';

/** Users in memory, sessions and codes on Redis, its own limits off. */
export async function start({ redisUrl }) {
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
  return addBenchRoutes(app, {
    codes,
    token: async (email) => {
      await auth.api.sendVerificationOTP({ body: { email, type: 'sign-in' } });
      const body = { email, otp: codes.get(email) };
      const { headers } = await auth.api.signInEmailOTP({ body, returnHeaders: true });
      return headers
        .getSetCookie()
        .map((cookie) => cookie.split(';')[0])
        .join('; ');
    },
    revoke: async (headers) => {
      await auth.api.signOut({ headers: fromNodeHeaders(headers) });
    },
  });
}
