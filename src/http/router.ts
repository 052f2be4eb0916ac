import { type RequestHandler, Router } from 'express';
import { OtpAuthError } from '../errors.js';
import { jsonBody } from './json-body.js';
import { sendProblem } from './problem.js';

/** One line of the route table. */
export interface Route {
  method: 'get' | 'post' | 'patch' | 'delete';
  path: string;
  handlers: RequestHandler[];
}

/** Mounts the routes. Another method of a known path is 405; unknown paths fall through to the application. */
export function createRouter(routes: readonly Route[]): Router {
  const router = Router();
  const body = jsonBody();
  const paths = [...new Set(routes.map(({ path }) => path))];
  for (const path of paths) {
    const here = routes.filter((route) => route.path === path);
    router.all(path, noStore);
    for (const { method, handlers } of here) router[method](path, ...(method === 'get' ? [] : body), ...handlers);
    router.all(path, methodNotAllowed(here.map(({ method }) => method.toUpperCase())));
  }
  return router;
}

const noStore: RequestHandler = (_req, res, next) => {
  res.set('Cache-Control', 'no-store');
  next();
};

function methodNotAllowed(allow: string[]): RequestHandler {
  return (_req, res) => {
    sendProblem(res, new OtpAuthError('method_not_allowed', `Use ${allow.join(' or ')}.`, { allow }));
  };
}
