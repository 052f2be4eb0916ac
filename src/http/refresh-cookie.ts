import type { Request, Response } from 'express';
import type { SignIn } from '../core/sessions.js';
import { type Cookie, type CookieSettings, createCookie } from './cookie.js';

/** The cookie that holds the refresh token, and with it, where that is wanted, the one that holds the access token. */
export interface RefreshCookie extends Pick<Cookie, 'read' | 'clear'> {
  set(req: Request, res: Response, tokens: Omit<SignIn, 'sessionId' | 'user'>): void;
}

export function refreshCookie(
  { name, ...attributes }: CookieSettings & { name: string },
  access?: AccessCookie,
): RefreshCookie {
  const refresh = createCookie(name, attributes);
  return {
    read: (req) => refresh.read(req),
    set(req, res, { accessToken, expiresIn, refreshToken, refreshExpiresIn }) {
      access?.set(req, res, accessToken, expiresIn);
      refresh.set(req, res, refreshToken, refreshExpiresIn);
    },
    clear(req, res) {
      access?.clear(req, res);
      refresh.clear(req, res);
    },
  };
}

/** The cookie that holds the access token. */
export type AccessCookie = Cookie;

const LONGEST_COOKIE = 4096; // RFC 6265bis §5.6: name and value together; browsers drop a longer one without a word

/** Its path is `/`, whatever the refresh cookie's is: the application's own routes have to see it. */
export function accessCookie({
  accessTokenName: name,
  ...attributes
}: CookieSettings & { accessTokenName: string }): AccessCookie {
  const cookie = createCookie(name, { ...attributes, path: '/' });
  return {
    ...cookie,
    set(req, res, value, maxAgeSeconds) {
      if (`__Host-${name}${value}`.length > LONGEST_COOKIE)
        throw new Error(
          'express-otp-auth: the access token does not fit into a cookie: claims(user) adds too much for cookie.accessToken',
        );
      cookie.set(req, res, value, maxAgeSeconds);
    },
  };
}
