import type { Request } from 'express';
import { describeUserAgent, type Requester } from '../core/requester.js';

/** Who asks, as far as the request tells. `req.ip` follows the application's `trust proxy` setting. */
export function requesterOf(req: Request): Requester {
  // An IPv4 client on a socket of both families is that client all the same.
  return { ip: req.ip?.replace(/^::ffff:(?=\d+\.)/i, ''), userAgent: describeUserAgent(req.headers['user-agent']) };
}
