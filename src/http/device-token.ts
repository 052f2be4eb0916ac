import type { Request, Response } from 'express';
import { DEVICE_LIFE_MS } from '../core/device.js';
import { type CookieSettings, createCookie } from './cookie.js';

/** How a device shows that it signed in before: in a cookie, or, where there are none, in bodies. */
export interface DeviceTokens {
  /** What came with the request. One in the body goes before cookies: whoever sends it means it. */
  presented(req: Request, inBody: string | null | undefined): string[];
  /** Hands the token back, and returns the members that the body gets for it. */
  hand(req: Request, res: Response, token: string, transport: 'cookie' | 'body'): { device_token?: string };
}

export function deviceTokens(
  { deviceName, ...attributes }: CookieSettings & { deviceName: string },
  isCrossSite: (req: Request) => boolean,
): DeviceTokens {
  const cookie = createCookie(deviceName, attributes);
  return {
    presented(req, inBody) {
      if (typeof inBody === 'string') return [inBody];
      // A foreign page must not use up what its visitor's device may do.
      return isCrossSite(req) ? [] : cookie.read(req);
    },
    hand(req, res, token, transport) {
      if (transport === 'body') return { device_token: token };
      cookie.set(req, res, token, DEVICE_LIFE_MS / 1000);
      return {};
    },
  };
}
