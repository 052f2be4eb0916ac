import { type ErrorRequestHandler, type RequestHandler, Router } from 'express';
import { isOtpAuthError, OtpAuthError } from '../errors.js';
import { formBody, jsonBody } from './body.js';
import { sendProblem } from './problem.js';

/** One line of the route table. */
export interface Route {
  method: 'get' | 'post' | 'patch' | 'delete';
  path: string;
  /** @default 'json', and none for GET */
  body?: 'form';
  /** What needs no body, and comes before one is read. */
  first?: RequestHandler[];
  handlers: RequestHandler[];
}

/** Mounts the routes, each behind the handlers of `before`. Another method of a known path is 405; unknown paths fall through to the application. */
export function createRouter(routes: readonly Route[], before: readonly RequestHandler[] = []): Router {
  const router = Router();
  const [json, form] = [jsonBody(), formBody()];
  const paths = [...new Set(routes.map(({ path }) => path))];
  for (const path of paths) {
    const here = routes.filter((route) => route.path === path);
    router.all(path, noStore, ...before);
    for (const { method, body, first = [], handlers } of here) {
      const reader = body === 'form' ? form : json;
      router[method](path, ...first, ...(method === 'get' ? [] : reader), ...handlers);
    }
    router.all(path, methodNotAllowed(here.map(({ method }) => method.toUpperCase())));
  }
  router.use(undecodablePath);
  return router;
}

/** What Express makes of `/sessions/%FF`; the application's error handler would show a stack outside production. */
const undecodablePath: ErrorRequestHandler = (error: unknown, _req, res, next) => {
  const { name, status } = error as { name?: unknown; status?: unknown };
  if (name !== 'URIError' || status !== 400) next(error);
  else sendProblem(res, new OtpAuthError('invalid_request', 'The path is not valid: each % begins a byte of UTF-8.'));
};

/** Holds requests until something is loaded; where that failed, they are answered with its error. */
export function waitFor(ready: Promise<void>): RequestHandler {
  let isReady = false;
  ready.then(
    () => {
      isReady = true;
    },
    () => {}, // each request is told
  );
  return (_req, res, next) => {
    if (isReady) {
      next();
      return;
    }
    ready.then(
      () => next(),
      (error: unknown) => {
        if (isOtpAuthError(error)) sendProblem(res, error);
        else next(error);
      },
    );
  };
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
