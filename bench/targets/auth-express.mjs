import { getSession } from '@auth/express';
import express from 'express';
import { addBenchRoutes, answer, SECRET } from './common.mjs';

// Its own copy of Auth.js, which seals what a sign-in gives.
const { encode } = await import(new URL('node_modules/@auth/core/jwt.js', import.meta.resolve('@auth/express')));

const COOKIE = 'authjs.session-token';

/** Auth.js with its default, sessions in encrypted cookies: nothing can be revoked. */
export async function start() {
  const config = {
    secret: SECRET,
    trustHost: true,
    providers: [],
    session: { strategy: 'jwt' },
    logger: { error() {} },
  };
  const app = express();
  app.get('/me', async (req, res) => {
    const session = await getSession(req, config);
    if (session) answer(req, res);
    else res.status(401).end();
  });
  return addBenchRoutes(app, {
    token: async (email) =>
      `${COOKIE}=${await encode({ token: { sub: email, email }, secret: SECRET, salt: COOKIE, maxAge: 3600 })}`,
  });
}
