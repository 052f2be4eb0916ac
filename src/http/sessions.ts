import type { Request } from 'express';
import type { AuthenticatedUser } from '../core/authenticate.js';
import type { Sessions } from '../core/sessions.js';
import { OtpAuthError } from '../errors.js';
import { sendJson } from './json.js';
import { handle } from './problem.js';
import type { RefreshCookie } from './refresh-cookie.js';
import { requesterOf } from './requester.js';
import type { Guards } from './require-user.js';
import type { Route } from './router.js';

/** `GET /sessions`, `DELETE /sessions/:id` and `POST /logout-all` */
export function sessionRoutes(deps: { sessions: Sessions; cookie: RefreshCookie; guards: Guards }): Route[] {
  const { sessions, cookie, guards } = deps;

  const list = handle(async (req, res) => {
    const user = signedIn(req);
    const records = await sessions.list(user.id);
    const data = records.map(({ id, startedAtMs, lastUsedAtMs, expiresAtMs, ip, userAgent }) => ({
      id,
      current: id === user.sessionId,
      created_at: new Date(startedAtMs).toISOString(),
      last_used_at: new Date(lastUsedAtMs).toISOString(),
      expires_at: new Date(expiresAtMs).toISOString(),
      ip: ip ?? null,
      user_agent: userAgent ?? null,
    }));
    sendJson(res, { data, count: data.length });
  });

  const endOne = handle(async (req, res) => {
    const ended = await sessions.endListed(signedIn(req), String(req.params['id']), 'revoked', requesterOf(req));
    if (!ended) throw new OtpAuthError('not_found', 'There is no such session.');
    res.status(204).end();
  });

  const endAll = handle(async (req, res) => {
    const ended = await sessions.endAll(signedIn(req), 'logout_all', requesterOf(req));
    cookie.clear(req, res);
    sendJson(res, { message: 'Successfully logged out everywhere', sessions: ended });
  });

  return [
    { method: 'get', path: '/sessions', handlers: [guards.requireUser, list] },
    { method: 'delete', path: '/sessions/:id', handlers: [guards.requireUser, endOne] },
    { method: 'post', path: '/logout-all', handlers: [guards.requireUser, endAll] },
  ];
}

/** The user that the guard before has put there. */
export function signedIn(req: Request): AuthenticatedUser {
  return req.user as AuthenticatedUser;
}
