import { createHmac, randomBytes, randomInt, randomUUID } from 'node:crypto';
import express from 'express';
import { rateLimit } from 'express-rate-limit';
import { Redis } from 'ioredis';
import jsonwebtoken from 'jsonwebtoken';
import { RedisStore } from 'rate-limit-redis';
import { addBenchRoutes, HOUR_SECONDS, KEY, signToken } from './common.mjs';

const DAY_SECONDS = 24 * HOUR_SECONDS;
const MOST_ATTEMPTS = 5;
const MOST_FAILURES = 25;
const MOST_SESSIONS = 50;

/** KEYS: code, counts. ARGV: the code's hash. Counts and stores in one step. */
const ISSUE = `
  if redis.call('HINCRBY', KEYS[2], 'sent', 1) > 20 then return 0 end
  redis.call('EXPIRE', KEYS[2], ${DAY_SECONDS}, 'NX')
  redis.call('HSET', KEYS[1], 'hash', ARGV[1], 'attempts', 0)
  redis.call('EXPIRE', KEYS[1], 300)
  return 1`;
/** The same. Counts, compares and uses up in one step. */
const CONSUME = `
  if tonumber(redis.call('HGET', KEYS[2], 'failed') or 0) >= ${MOST_FAILURES} then return 0 end
  local hash = redis.call('HGET', KEYS[1], 'hash')
  if not hash or redis.call('HINCRBY', KEYS[1], 'attempts', 1) > ${MOST_ATTEMPTS} then return 0 end
  if hash ~= ARGV[1] then
    redis.call('HINCRBY', KEYS[2], 'failed', 1)
    return 0
  end
  redis.call('DEL', KEYS[1])
  return 1`;
/** KEYS: session, the user's list. ARGV: id, hash of the refresh token, now in seconds. Ends the oldest where there are too many. */
const OPEN_SESSION = `
  redis.call('HSET', KEYS[1], 'refresh', ARGV[2], 'opened', ARGV[3])
  redis.call('EXPIRE', KEYS[1], ${7 * DAY_SECONDS})
  redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
  redis.call('EXPIRE', KEYS[2], ${30 * DAY_SECONDS})
  redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -${MOST_SESSIONS + 1})
  return 1`;

const keyed = (purpose, text) => createHmac('sha256', KEY).update(`${purpose}:${text}`).digest('base64url');

/** A sign-in by hand with the protections that this package has: what they cost, whoever writes them. */
export async function start({ redisUrl }) {
  const redis = new Redis(redisUrl);
  redis.defineCommand('issue', { numberOfKeys: 2, lua: ISSUE });
  redis.defineCommand('consume', { numberOfKeys: 2, lua: CONSUME });
  redis.defineCommand('openSession', { numberOfKeys: 2, lua: OPEN_SESSION });
  const limit = (name) =>
    rateLimit({
      windowMs: 60_000,
      limit: 1_000_000, // everybody comes from one address, and is counted all the same
      standardHeaders: 'draft-8',
      legacyHeaders: false,
      keyGenerator: (req) => keyed('network', req.ip),
      store: new RedisStore({
        prefix: `limit_${name}_`,
        sendCommand: (command, ...args) => redis.call(command, ...args),
      }),
    });

  const codes = new Map();
  const app = express();
  app.post('/auth/request-otp', express.json(), limit('requests'), async (req, res) => {
    const { email } = req.body;
    const code = String(randomInt(1_000_000)).padStart(6, '0');
    const person = keyed('identifier', email);
    if ((await redis.issue(`otp_{${person}}`, `limit_{${person}}`, keyed('code', `${email}:${code}`))) !== 1) {
      res.status(429).end();
      return;
    }
    codes.set(email, code);
    res.json({ message: 'OTP sent successfully' });
  });
  app.post('/auth/verify-otp', express.json(), limit('verifies'), async (req, res) => {
    const { email, otp } = req.body;
    const person = keyed('identifier', email);
    if ((await redis.consume(`otp_{${person}}`, `limit_{${person}}`, keyed('code', `${email}:${otp}`))) !== 1) {
      res.status(400).end();
      return;
    }
    const sid = randomUUID();
    const refresh = jsonwebtoken.sign({ sub: email, sid, type: 'refresh', jti: randomUUID() }, KEY, {
      algorithm: 'HS256',
      expiresIn: 7 * DAY_SECONDS,
    });
    const nowSeconds = Math.floor(Date.now() / 1000);
    await redis.openSession(
      `session_{${person}}_${sid}`,
      `session_{${person}}`,
      sid,
      keyed('refresh', refresh),
      nowSeconds,
    );
    const device = `${person}.${randomBytes(16).toString('base64url')}`;
    res.cookie('refresh_token', refresh, { httpOnly: true, sameSite: 'lax' });
    res.cookie('device_token', `${device}.${keyed('device', device)}`, { httpOnly: true, sameSite: 'lax' });
    res.json({ access_token: signToken(email) });
  });
  return addBenchRoutes(app, { codes, token: async (email) => signToken(email) });
}
