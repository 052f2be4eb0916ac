// What the targets have in common. A target's module exports `start({ redisUrl, smtp })`, which resolves to its Express
// application; `GET /me` is behind its guard, and the bench routes are how load and checks get at tokens and codes.
import { createSecretKey, randomUUID } from 'node:crypto';
import express from 'express';
import { Redis } from 'ioredis';
import jsonwebtoken from 'jsonwebtoken';

export const SECRET = 'a secret for the benchmark, of more than thirty-two bytes';
export const KEY = createSecretKey(Buffer.from(SECRET));
export const HOUR_SECONDS = 3600;

export const answer = (req, res) => res.json({ ok: true });
export const bearer = ({ authorization }) => authorization.slice('Bearer '.length);
export const signToken = (email) =>
  jsonwebtoken.sign({ sub: email, jti: randomUUID() }, KEY, { algorithm: 'HS256', expiresIn: HOUR_SECONDS });

/**
 * GET /bench/token?email= gives what a client holds who signed in, POST /bench/revoke kills it, and GET /bench/codes
 * gives all codes that were sent since it was last asked.
 */
export function addBenchRoutes(app, { token, revoke = async () => {}, codes = new Map() }) {
  app.get('/bench/token', async (req, res) => res.send(await token(String(req.query.email))));
  app.post('/bench/revoke', async (req, res) => {
    await revoke(req.headers);
    res.end();
  });
  app.get('/bench/codes', (req, res) => {
    res.json(Object.fromEntries(codes));
    codes.clear();
  });
  return app;
}

/** An application with one guarded route whose tokens jsonwebtoken signs. */
export function guardedBy(guards, revoke, issue = signToken) {
  const app = express();
  app.get('/me', ...guards, answer);
  return addBenchRoutes(app, { token: async (email) => issue(email), revoke });
}

export function verifyWith(key) {
  return (req, res, next) => {
    try {
      req.user = jsonwebtoken.verify(bearer(req.headers), key, { algorithms: ['HS256'] });
      next();
    } catch {
      res.status(401).end();
    }
  };
}

/** Revocation as applications write it: one key a token. */
export function blacklistOn(redisUrl) {
  const redis = new Redis(redisUrl);
  return {
    isRevoked: async ({ jti }) => (await redis.get(`blacklist_${jti}`)) !== null,
    revoke: async (headers) => {
      await redis.set(`blacklist_${jsonwebtoken.decode(bearer(headers)).jti}`, '1', 'EX', HOUR_SECONDS);
    },
  };
}
