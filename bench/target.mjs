import { once } from 'node:events';
import path from 'node:path';
import { startProcess } from './process.mjs';

/** Name → module in targets/ and what it exports. */
const TARGETS = {
  'bare Express': ['unguarded', 'start'],
  'a Map of tokens': ['unguarded', 'withMap'],
  'jsonwebtoken, key object': ['jsonwebtoken', 'withKeyObject'],
  'jsonwebtoken, string': ['jsonwebtoken', 'withString'],
  '@auth/express': ['auth-express', 'start'],
  'express-jwt + ioredis': ['express-jwt', 'start'],
  'passport-jwt + ioredis': ['passport-jwt', 'start'],
  'better-auth': ['better-auth', 'start'],
  'hand-written': ['hand-written', 'start'],
  'hand-written, protected': ['hand-written-protected', 'start'],
  'express-otp-auth, check': ['express-otp-auth', 'check'],
  'express-otp-auth, check, no cache': ['express-otp-auth', 'checkWithoutCache'],
  'express-otp-auth, push': ['express-otp-auth', 'push'],
  'express-otp-auth, push, no cache': ['express-otp-auth', 'pushWithoutCache'],
  'express-otp-auth, its own pool of 20': ['mail', 'own'],
  'Nodemailer, its own pool of 5': ['mail', 'usualPool'],
  'Nodemailer, a connection a mail': ['mail', 'unpooled'],
};

export const isOwn = (name) => name.startsWith('express-otp-auth');

/** In these a token can be revoked before it expires. */
export const isRevocable = (name) => isOwn(name) || /ioredis|better-auth|hand-written/.test(name);

/** How a client shows what it got when it signed in: a cookie or a bearer token. */
export const credentials = (name, token) =>
  /better-auth|@auth/.test(name) ? { cookie: token } : { authorization: `Bearer ${token}` };

/**
 * Starts a target in a process of its own, on the servers' core.
 *
 * @param place - `redisUrl`, and `smtp` where mail is sent.
 * @param nodeOptions - For its process.
 */
export async function startTarget(name, place, nodeOptions = []) {
  const child = startProcess(path.join(import.meta.dirname, 'serve.mjs'), [...TARGETS[name], JSON.stringify(place)], {
    core: 'server',
    nodeOptions,
    env: { NODE_ENV: 'production' },
  });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`${name} ended with code ${code}`);
  });
  ended.catch(() => {}); // told to whoever waits for an answer
  const next = async () => {
    const [message] = await Promise.race([once(child, 'message'), ended]);
    return message;
  };
  const { port } = await next();
  return {
    name,
    url: `http://127.0.0.1:${port}`,
    /** CPU time used so far, and resident memory. */
    async figures() {
      child.send('figures');
      return next();
    },
    stop: () => child.kill(),
    /** Ends it by itself, so that it can write down what it was asked to. */
    async leave() {
      child.disconnect();
      await once(child, 'exit');
    },
  };
}
