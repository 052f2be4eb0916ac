import type { Request } from 'express';

/** Whether a browser asks for a page, to show it to its user: as it says itself, or, where it is older, by what it accepts. */
export function isNavigation(req: Request): boolean {
  const { 'sec-fetch-mode': mode, 'sec-fetch-dest': destination = 'document', accept = '' } = req.headers;
  const asksForPage = mode === undefined || (mode === 'navigate' && destination === 'document');
  return asksForPage && isSafe(req) && /\btext\/html\b/.test(accept);
}

/** A method that changes nothing (RFC 9110 §9.2.1). */
export function isSafe({ method }: Request): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS';
}
