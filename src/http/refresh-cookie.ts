import { type Cookie, type CookieSettings, createCookie } from './cookie.js';

/** The cookie that holds the refresh token. */
export type RefreshCookie = Cookie;

export function refreshCookie({ name, ...attributes }: CookieSettings & { name: string }): RefreshCookie {
  return createCookie(name, attributes);
}
