import type { Request } from 'express';
import { describeUserAgent, type Requester } from '../core/requester.js';

/** Who asks, as far as the request tells. `req.ip` follows the application's `trust proxy` setting. */
export function requesterOf(req: Request): Requester {
  return { ip: req.ip, userAgent: describeUserAgent(req.headers['user-agent']) };
}
