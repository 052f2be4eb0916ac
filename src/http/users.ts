import type { Request } from 'express';
import type { Accounts } from '../core/users/accounts.js';
import { type CheckedUserStore, type StoredUser } from '../core/users/checked-user-store.js';
import { type ChangeIdentifier, ownUser } from '../core/users/change-identifier.js';
import { ADMIN } from '../core/users/roles.js';
import { OtpAuthError } from '../errors.js';
import { validBody } from './body.js';
import { changeBy } from './change-by.js';
import type { IpLimit } from './ip-limits.js';
import { sendJson } from './json.js';
import { handle } from './problem.js';
import { type IsTotpEnabled, publicUser } from './public-user.js';
import { readInput } from './read-input.js';
import type { RefreshCookie } from './refresh-cookie.js';
import { preferredLanguage } from './request-otp.js';
import { requesterOf } from './requester.js';
import type { Guards } from './require-user.js';
import type { Route } from './router.js';
import { signedIn } from './sessions.js';
import type { UserSchemas } from './user-schemas.js';

export interface UsersDeps {
  accounts: Accounts;
  changeIdentifier: ChangeIdentifier;
  userStore: Pick<CheckedUserStore, 'findById'>;
  isTotpEnabled: IsTotpEnabled;
  schemas: UserSchemas;
  guards: Guards;
  cookie: RefreshCookie;
  /** On asking for codes, and on handing them in. */
  ipLimits: { requests: IpLimit; verifies: IpLimit };
}

/** `/users/me`, `/users/me/identifier`, `/users` and `/users/:id` */
export function userRoutes(deps: UsersDeps): Route[] {
  // In this order: `me` is no id.
  return [...ownUserRoutes(deps), ...allUsersRoutes(deps)];
}

/** What people do with their own account. */
function ownUserRoutes(deps: UsersDeps): Route[] {
  const { accounts, changeIdentifier, userStore, schemas, guards, cookie, ipLimits } = deps;
  const show = (user: StoredUser) => publicUser(user, deps.isTotpEnabled);

  const read = handle(async (req, res) => {
    sendJson(res, show(await ownUser(userStore, signedIn(req).id)));
  });

  const update = handle(async (req, res) => {
    const changes = validBody(schemas.updateMe, req.body ?? {});
    const { id } = await ownUser(userStore, signedIn(req).id);
    sendJson(res, show(await accounts.update(id, changes, changeBy(req))));
  });

  const remove = handle(async (req, res) => {
    const { id } = await ownUser(userStore, signedIn(req).id);
    await accounts.remove(id, requesterOf(req));
    cookie.clear(req, res);
    res.status(204).end();
  });

  const requestChange = handle(async (req, res) => {
    const { identifier, locale = preferredLanguage(req) } = validBody(schemas.changeIdentifier, req.body);
    const change = { userId: signedIn(req).id, identifier, locale, requester: requesterOf(req) };
    const { expiresInSeconds, resendInSeconds } = await changeIdentifier.request(change);
    sendJson(res, { message: 'OTP sent successfully', expires_in: expiresInSeconds, resend_in: resendInSeconds });
  });

  const confirmChange = handle(async (req, res) => {
    const { identifier, otp, locale = preferredLanguage(req) } = validBody(schemas.verifyIdentifier, req.body);
    const { id: userId, sessionId } = signedIn(req);
    const change = { userId, sessionId, identifier, code: otp, locale, requester: requesterOf(req) };
    sendJson(res, show(await changeIdentifier.confirm(change)));
  });

  const recent = guards.requireRecent();
  const path = '/users/me';
  return [
    { method: 'get', path, handlers: [guards.requireUser, read] },
    { method: 'patch', path, first: [guards.requireUser], handlers: [update] },
    { method: 'delete', path, first: [recent], handlers: [remove] },
    {
      method: 'post',
      path: `${path}/identifier`,
      first: [recent],
      handlers: [ipLimits.requests.handler, requestChange],
    },
    {
      method: 'post',
      path: `${path}/identifier/verify`,
      first: [recent],
      handlers: [ipLimits.verifies.handler, confirmChange],
    },
  ];
}

/** What admins do with everybody's. */
function allUsersRoutes(deps: UsersDeps): Route[] {
  const { accounts, userStore, schemas, guards } = deps;
  const show = (user: StoredUser) => publicUser(user, deps.isTotpEnabled);
  const idOf = (req: Request) => String(req.params['id']);

  const list = handle(async (req, res) => {
    const { users, count } = await accounts.list(validQuery(schemas.listUsers, req));
    sendJson(res, { data: users.map(show), count });
  });

  const create = handle(async (req, res) => {
    const account = validBody(schemas.createUser, req.body);
    sendJson(res.status(201), show(await accounts.create(account, requesterOf(req))));
  });

  const read = handle(async (req, res) => {
    const { id, roles } = signedIn(req);
    const isAdmin = roles.includes(ADMIN);
    // Whether there is such a user, an admin alone may know.
    if (!isAdmin && idOf(req) !== id) throw new OtpAuthError('insufficient_scope', 'You may not do this.');
    sendJson(res, show(isAdmin ? await accounts.get(idOf(req)) : await ownUser(userStore, id)));
  });

  const update = handle(async (req, res) => {
    const changes = validBody(schemas.updateUser, req.body ?? {});
    sendJson(res, show(await accounts.update(idOf(req), changes, changeBy(req))));
  });

  const remove = handle(async (req, res) => {
    await accounts.remove(idOf(req), requesterOf(req));
    res.status(204).end();
  });

  const admin = guards.requireRole(ADMIN);
  const path = '/users/:id';
  return [
    { method: 'get', path: '/users', handlers: [admin, list] },
    { method: 'post', path: '/users', first: [admin], handlers: [create] },
    { method: 'get', path, handlers: [guards.requireUser, read] },
    { method: 'patch', path, first: [admin], handlers: [update] },
    { method: 'delete', path, first: [admin], handlers: [remove] },
  ];
}

function validQuery(schema: UserSchemas['listUsers'], req: Request) {
  const read = readInput(schema, req.query);
  if ('data' in read) return read.data;
  throw new OtpAuthError('invalid_request', 'The query is not valid. See errors.', { errors: read.problems });
}
