import type { Request, RequestHandler } from 'express';
import type { Identifier } from '../../core/identifier.js';
import type { Logger } from '../../core/ports.js';
import type { Secrets } from '../../core/secrets.js';
import type { CookieSettings } from '../cookie.js';
import type { Route } from '../router.js';
import { pendingSignIns } from './pending-sign-in.js';
import { type SignInPageDeps, signInRoutes } from './sign-in.js';
import { signInLinks } from './sign-in-links.js';
import { createStartSignIn, type StartedSignIn } from './start-sign-in.js';

const USUAL_MOUNT_PATH = '/auth';

/** The pages, and what other endpoints do for them. */
export interface Pages {
  routes: Route[];
  /** Where messages hold links: has a browser that asks for a code elsewhere than on the page be known again. */
  startSignIn?: ((req: Request, identifier: Identifier) => StartedSignIn | undefined) | undefined;
}

type GivenByPages = 'pendings' | 'links' | 'startSignIn';

export function createPages({
  secrets,
  cookieSettings,
  isCrossSite,
  publicUrl,
  hasLinks,
  ...deps
}: Omit<SignInPageDeps, GivenByPages> & {
  secrets: Secrets;
  cookieSettings: CookieSettings;
  isCrossSite: (req: Request) => boolean;
  publicUrl: string | undefined;
  hasLinks: boolean;
}): Pages {
  const { clock } = deps;
  const pendings = pendingSignIns({ secrets, clock, cookie: cookieSettings });
  const links = hasLinks && publicUrl !== undefined ? signInLinks({ secrets, clock, publicUrl }) : undefined;
  const startSignIn = createStartSignIn({ pendings, links, clock });
  return {
    routes: signInRoutes({ ...deps, pendings, links, startSignIn }),
    startSignIn: links && ((req, identifier) => (isCrossSite(req) ? undefined : startSignIn(req, identifier))),
  };
}

/** The path of the sign-in page, as browsers see it. */
export function signInPath(publicUrl: string | undefined): string {
  return `${mountPathOf(publicUrl)}/sign-in`;
}

/** Warns once where browsers would be sent to a page that is elsewhere. */
export function checkMountPath(publicUrl: string | undefined, logger: Logger): RequestHandler {
  let isDone = publicUrl !== undefined;
  return (req, _res, next) => {
    if (!isDone && req.baseUrl !== USUAL_MOUNT_PATH)
      logger.warn(
        `express-otp-auth: requireUser sends browsers to ${signInPath(publicUrl)}, and the router is mounted elsewhere: set the option publicUrl.`,
      );
    isDone = true;
    next();
  };
}

function mountPathOf(publicUrl: string | undefined): string {
  return publicUrl === undefined ? USUAL_MOUNT_PATH : new URL(publicUrl).pathname.replace(/\/$/, '');
}
