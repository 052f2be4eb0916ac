import { randomInt, randomUUID } from 'node:crypto';
import express from 'express';
import { Redis } from 'ioredis';
import jsonwebtoken from 'jsonwebtoken';
import { addBenchRoutes, answer, blacklistOn, HOUR_SECONDS, KEY, signToken, verifyWith } from './common.mjs';

/** What many applications have: no limits, no hashing, no rotation, nothing atomic, no list of sessions. */
export async function start({ redisUrl }) {
  const redis = new Redis(redisUrl);
  const { isRevoked, revoke } = blacklistOn(redisUrl);
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
    const refresh = jsonwebtoken.sign({ sub: email, type: 'refresh', jti: randomUUID() }, KEY, {
      algorithm: 'HS256',
      expiresIn: 7 * 24 * HOUR_SECONDS,
    });
    res.cookie('refresh_token', refresh, { httpOnly: true, sameSite: 'lax' });
    res.json({ access_token: signToken(email) });
  });
  app.post('/auth/refresh', async (req, res) => {
    const token = /refresh_token=([^;]+)/.exec(req.headers.cookie ?? '')?.[1];
    const payload = jsonwebtoken.verify(token, KEY, { algorithms: ['HS256'] });
    if (payload.type !== 'refresh' || (await isRevoked(payload))) res.status(401).end();
    else res.json({ access_token: signToken(payload.sub) });
  });
  app.get('/me', verifyWith(KEY), async (req, res) => {
    if (await isRevoked(req.user)) res.status(401).end();
    else answer(req, res);
  });
  return addBenchRoutes(app, { codes, token: async (email) => signToken(email), revoke });
}
