import { type Check, type Finding, isLoopback } from './check.js';

const HOW = 'Say where people’s browsers are, such as --origin https://app.example.com, to have cookies checked.';

/** Whether browsers at the origin keep and send the cookies. */
export const cookiesCheck: Check = {
  name: 'cookies',
  title: 'Cookies',
  reads: ['cookie', 'allowedOrigins'],
  run({ settings: { cookie, allowedOrigins }, origin, url, production }) {
    if (origin === undefined) return [{ level: 'skipped', message: HOW }];
    const findings: Finding[] = [];
    const isHttps = origin.protocol === 'https:';
    const host = origin.hostname;

    if (!isHttps && cookie.secure === true)
      findings.push(
        isLoopback(host)
          ? {
              level: 'warning',
              message: `Cookies are Secure, and ${origin.origin} is not HTTPS: Safari drops them even there.`,
              remedy: 'Set EXPRESS_OTP_AUTH_COOKIE_SECURE=auto on developers’ machines.',
            }
          : {
              level: 'error',
              message: `Cookies are Secure, and ${origin.origin} is not HTTPS: browsers drop them, and nobody stays signed in.`,
              remedy: 'Serve the application over HTTPS.',
            },
      );
    if (isHttps && cookie.secure === false)
      findings.push({
        level: 'error',
        message: 'Cookies are not Secure: a single request over HTTP shows the refresh token to everybody on the way.',
        remedy: 'Unset EXPRESS_OTP_AUTH_COOKIE_SECURE.',
      });
    if (isHttps && cookie.secure === 'auto')
      findings.push({
        level: production ? 'warning' : 'note',
        message:
          'Cookies are Secure where the application knows that the request came over HTTPS: behind a proxy, it does with ‘trust proxy’.',
        remedy: 'Set EXPRESS_OTP_AUTH_COOKIE_SECURE=true where all is HTTPS.',
      });
    if (cookie.domain !== undefined && !isWithin(host, cookie.domain))
      findings.push({
        level: 'error',
        message: `Cookies are for ${cookie.domain}, and ${host} is not in that domain: browsers drop them.`,
        remedy: 'Unset EXPRESS_OTP_AUTH_COOKIE_DOMAIN: the cookie is then for the host that sets it.',
      });
    if (url !== undefined) findings.push(...acrossOrigins(origin, url, { cookie, allowedOrigins }));
    if (url !== undefined && !url.pathname.startsWith(cookie.path.replace(/\/$/, '')))
      findings.push({
        level: 'error',
        message: `Cookies are sent to paths below ${cookie.path} alone, and the endpoints are at ${url.pathname}.`,
        remedy: 'Unset EXPRESS_OTP_AUTH_COOKIE_PATH.',
      });
    return findings.length > 0
      ? findings
      : [{ level: 'ok', message: `Browsers at ${origin.origin} keep the cookies.` }];
  },
};

/** Pages on one origin, endpoints on another. */
function acrossOrigins(
  origin: URL,
  url: URL,
  {
    cookie,
    allowedOrigins,
  }: { cookie: { sameSite: string; secure: boolean | 'auto' }; allowedOrigins: readonly string[] },
): Finding[] {
  if (origin.host === url.host) return [];
  const findings: Finding[] = [];
  if (!allowedOrigins.includes(origin.origin))
    findings.push({
      level: 'error',
      message: `Pages at ${origin.origin} may not use the cookie endpoints at ${url.origin}.`,
      remedy: `Set EXPRESS_OTP_AUTH_ALLOWED_ORIGINS=${origin.origin}, and allow it with credentials in your CORS middleware.`,
    });
  if (siteOf(origin) !== siteOf(url) && cookie.sameSite !== 'none')
    findings.push({
      level: 'error',
      message: `${origin.host} and ${url.host} look like two sites, and browsers send SameSite=${cookie.sameSite} cookies within one site alone.`,
      remedy:
        'Put both under one domain; or set EXPRESS_OTP_AUTH_COOKIE_SAME_SITE=none and EXPRESS_OTP_AUTH_COOKIE_SECURE=true, which more and more browsers block.',
    });
  return findings;
}

function isWithin(host: string, domain: string): boolean {
  const bare = domain.replace(/^\./, '').toLowerCase();
  return host === bare || host.endsWith(`.${bare}`);
}

/** Scheme and the last two labels: right for most, and no list of public suffixes has to be kept for the rest. */
function siteOf({ protocol, hostname }: URL): string {
  return `${protocol}//${/^[\d.]+$|:/.test(hostname) ? hostname : hostname.split('.').slice(-2).join('.')}`;
}
