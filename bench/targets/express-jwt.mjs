import { expressjwt } from 'express-jwt';
import { blacklistOn, guardedBy, KEY } from './common.mjs';

export async function start({ redisUrl }) {
  const { isRevoked, revoke } = blacklistOn(redisUrl);
  const guard = expressjwt({
    secret: KEY,
    algorithms: ['HS256'],
    isRevoked: (req, token) => isRevoked(token.payload),
  });
  const app = guardedBy([guard], revoke);
  app.use((error, req, res, _next) => res.status(error.status ?? 500).end());
  return app;
}
