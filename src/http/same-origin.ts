import type { Request, RequestHandler } from 'express';
import { OtpAuthError } from '../errors.js';
import { sendProblem } from './problem.js';
import type { NoteRefusal } from './refusals.js';

/**
 * Refuses browsers' cross-site requests where a cookie is read or set. A request with neither `Origin` nor
 * `Sec-Fetch-Site` is not from a browser, and passes.
 */
export function sameOriginOnly(isCrossSite: (req: Request) => boolean, noteRefusal: NoteRefusal): RequestHandler {
  return (req, res, next) => {
    if (!isCrossSite(req)) {
      next();
      return;
    }
    const error = new OtpAuthError('cross_site_request', 'This origin may not use this endpoint.');
    noteRefusal(req, error);
    sendProblem(res, error);
  };
}

/** Whether a page of another site, that is not allowed to, had a browser send the request. */
export function crossSiteCheck(allowedOrigins: readonly string[]): (req: Request) => boolean {
  const allowed = new Set(allowedOrigins);
  return (req) => {
    const { origin } = req.headers;
    const site = req.headers['sec-fetch-site'];
    // A form's origin is null wherever its page has the Referrer-Policy no-referrer, as Helmet has pages have it by default.
    if (origin === 'null' && site === 'same-origin') return false;
    return (
      !(origin !== undefined && allowed.has(origin)) &&
      (site === 'cross-site' || (origin !== undefined && !isOwnOrigin(req, origin)))
    );
  };
}

/** By host and port alone: behind a proxy that ends TLS, the application may not know its own scheme. */
function isOwnOrigin(req: Request, origin: string): boolean {
  if (!URL.canParse(origin)) return false;
  const { protocol, host } = new URL(origin);
  return ownHosts(req).some((own) => {
    const address = `${protocol}//${own}`;
    return URL.canParse(address) && new URL(address).host === host;
  });
}

function ownHosts(req: Request): string[] {
  const trusts = req.app.get('trust proxy fn') as (address: string | undefined, hop: number) => boolean;
  const forwarded = req.headers['x-forwarded-host'];
  const isTrusted = typeof forwarded === 'string' && trusts(req.socket.remoteAddress, 0);
  const hosts = [req.headers.host ?? ''];
  if (isTrusted) hosts.push((forwarded.split(',')[0] as string).trim());
  return hosts.filter((host) => host !== '');
}
