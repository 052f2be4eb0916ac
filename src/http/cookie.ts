import type { CookieOptions, Request, Response } from 'express';

/** Attributes that all cookies of the package have in common. */
export interface CookieSettings {
  secure: boolean | 'auto';
  sameSite: 'strict' | 'lax' | 'none';
  domain?: string | undefined;
  path: string;
}

/** One cookie of the package: HttpOnly, and cleared with the attributes that it was set with. */
export interface Cookie {
  /** The values that came, each once: a foreign page on a sibling domain may have planted one of its own. */
  read(req: Request): string[];
  set(req: Request, res: Response, value: string, maxAgeSeconds: number): void;
  clear(req: Request, res: Response): void;
}

export function createCookie(name: string, settings: CookieSettings): Cookie {
  const attributes = (req: Request): CookieOptions => ({
    httpOnly: true,
    secure: settings.secure === 'auto' ? req.secure : settings.secure,
    sameSite: settings.sameSite,
    path: settings.path,
    ...(settings.domain === undefined ? {} : { domain: settings.domain }),
  });
  // RFC 6265bis §4.1.3.2: a browser takes such a cookie from this very host alone, over HTTPS.
  const nameFor = ({ secure, path, domain }: CookieOptions) =>
    secure === true && path === '/' && domain === undefined && !name.startsWith('__') ? `__Host-${name}` : name;

  return {
    read: (req) => cookieValues(req.headers.cookie ?? '', nameFor(attributes(req))),
    set: (req, res, value, maxAgeSeconds) => {
      const options = attributes(req);
      res.cookie(nameFor(options), value, { ...options, maxAge: maxAgeSeconds * 1000 });
    },
    clear: (req, res) => {
      const options = attributes(req);
      res.clearCookie(nameFor(options), options);
    },
  };
}

/** Read here, because parsers keep one of several values of a name, and turn some values into objects. */
function cookieValues(header: string, name: string): string[] {
  const values = header
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
  return [...new Set(values)];
}
