import type { Response } from 'express';

/** What a page may load besides its own: each a path of this origin, or a URL. */
export interface Foreign {
  logoUrl?: string | undefined;
  css?: string | undefined;
}

/**
 * Header fields of every page: nothing is loaded that the page does not name, nobody frames it, and no form of it can be
 * made to go elsewhere. They replace what the application may have set for all of its answers.
 */
export function setSecurityHeaders(res: Response, nonce: string, { logoUrl, css }: Foreign): void {
  const own = `'nonce-${nonce}'`;
  const styles = css === undefined ? [] : [sourceOf(css)];
  const images = new Set(["'self'", ...(logoUrl === undefined ? [] : [sourceOf(logoUrl)]), ...styles]);
  const policy = {
    'default-src': ["'none'"],
    'script-src': [own],
    'style-src': [own, ...styles],
    'img-src': [...images],
    ...(css === undefined ? {} : { 'font-src': styles }),
    'connect-src': ["'self'"],
    'form-action': ["'self'"],
    'frame-ancestors': ["'none'"],
    'base-uri': ["'none'"],
  };
  res.set({
    'Content-Security-Policy': Object.entries(policy)
      .map(([directive, sources]) => `${directive} ${sources.join(' ')}`)
      .join('; '),
    'X-Frame-Options': 'DENY',
    'X-Content-Type-Options': 'nosniff',
    // Not no-referrer: browsers would send `Origin: null` with the page's own forms.
    'Referrer-Policy': 'same-origin',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cache-Control': 'no-store',
  });
}

function sourceOf(address: string): string {
  if (address.startsWith('data:')) return 'data:';
  return address.startsWith('/') ? "'self'" : new URL(address).origin;
}
