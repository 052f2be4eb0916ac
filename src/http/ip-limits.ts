import { isIP } from 'node:net';
import type { Request, RequestHandler, Response } from 'express';
import { ipKeyGenerator, MemoryStore, rateLimit, type Store as HitStore } from 'express-rate-limit';
import type { Deadline } from '../core/deadline.js';
import type { Emit } from '../core/events.js';
import type { Clock } from '../core/ports.js';
import type { Requester } from '../core/requester.js';
import { networkKeyFor, type Secrets } from '../core/secrets.js';
import { isOtpAuthError, OtpAuthError } from '../errors.js';
import { sendProblem } from './problem.js';
import { requesterOf } from './requester.js';

/** One limit on what comes from one address of the network within a minute. */
export interface IpLimit {
  /** Counts the request, sets the `RateLimit` fields, and lets it through or answers. */
  handler: RequestHandler;
  /** The same for endpoints with answers of their own. Rejects with `rate_limited` or `store_unavailable`. */
  check(req: Request, res: Response): Promise<void>;
  /** The same for functions. Who gives no address is not limited by it. */
  count(requester: Requester): Promise<void>;
}

export interface IpLimits {
  /** On asking for codes. */
  requests: IpLimit;
  /** On handing codes in, wherever that is done. */
  verifies: IpLimit;
  close(): void;
}

export interface IpLimitsDeps {
  /** Where one limit's counts are kept; `undefined`: in this process. */
  openHits: (limit: string) => HitStore | undefined;
  secrets: Secrets;
  clock: Clock;
  /** A clock of the application's own ends windows too, so that its tests can. */
  clockOf: 'system' | 'application';
  emit: Emit;
  deadline: Deadline;
  limits: { requestsPerIpPerMinute: number; verifiesPerIpPerMinute: number };
}

const WINDOW_MS = 60_000;
/** An IPv6 customer has a /64 at least, and picks addresses in it at will (RFC 6177, RFC 8981). */
const IPV6_PREFIX_BITS = 64;

/**
 * The limits per `req.ip`, so the application's `trust proxy` setting says who is who.
 *
 * They count after the body was read and before it is judged: malformed requests are counted too, while one without a
 * readable JSON body, which is all that a foreign page can make a visitor's browser send, does not use up the visitor's.
 */
export function createIpLimits(deps: IpLimitsDeps): IpLimits {
  const requests = createIpLimit(deps, 'requests', deps.limits.requestsPerIpPerMinute);
  const verifies = createIpLimit(deps, 'verifies', deps.limits.verifiesPerIpPerMinute);
  return {
    requests,
    verifies,
    close() {
      requests.close();
      verifies.close();
    },
  };
}

function createIpLimit(deps: IpLimitsDeps, name: 'requests' | 'verifies', limit: number): IpLimit & { close(): void } {
  const bounded = boundedHits(deps.openHits(name) ?? hitsInMemory(), deps.deadline);
  const store = deps.clockOf === 'system' ? bounded : withClock(bounded, deps.clock);
  const keyOf = (ip: string | undefined) => networkKeyFor(deps.secrets, networkOf(ip));

  const refuse = (requester: Requester, retryAfterSeconds: number): OtpAuthError => {
    deps.emit('limit.hit', {
      at: deps.clock.now(),
      ...requester,
      limit: `${name}_per_ip_per_minute`,
      retryAfterSeconds,
    });
    return new OtpAuthError('rate_limited', 'Too many requests from this address. Wait before you try again.', {
      retryAfterSeconds,
    });
  };

  const middleware = rateLimit({
    windowMs: WINDOW_MS,
    limit,
    store,
    keyGenerator: (req) => keyOf(req.ip),
    skip: (req) => isEmpty(req.body),
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    identifier: `${name}-per-ip`,
    requestPropertyName: 'otpAuthRateLimit', // not the library's own, which the application may use itself
    handler: (req, res, next) => next(refuse(requesterOf(req), Math.max(1, Number(res.get('Retry-After'))))),
    passOnStoreError: false,
    // Its checks are on its own way to tell clients apart, and speak on the console.
    validate: false,
  });

  const check = (req: Request, res: Response) =>
    new Promise<void>((resolve, reject) => {
      void middleware(req, res, (error?: unknown) => {
        if (error === undefined) resolve();
        else reject(error as Error);
      });
    });

  return {
    check,
    handler(req, res, next) {
      check(req, res).then(
        () => next(),
        (error: unknown) => {
          if (isOtpAuthError(error)) sendProblem(res, error);
          else next(error);
        },
      );
    },
    async count(requester) {
      if (requester.ip === undefined) return;
      const { totalHits, resetTime } = await store.increment(keyOf(requester.ip));
      if (totalHits > limit) throw refuse(requester, secondsUntil(resetTime));
    },
    close: () => void store.shutdown?.(),
  };
}

/**
 * IPv6 by its /64, IPv4 whole, and `::ffff:192.0.2.1` is 192.0.2.1. Some proxies add the port, which tells nothing.
 * All that is no address is one: whoever can send that could send a new one each time.
 */
function networkOf(ip = ''): string {
  const bare = /^(?:\[(?<v6>[^\]]+)\]|(?<v4>[\d.]+))(?::\d+)?$/.exec(ip)?.groups;
  const address = bare?.['v6'] ?? bare?.['v4'] ?? ip;
  return isIP(address) === 0 ? 'unknown' : ipKeyGenerator(address, IPV6_PREFIX_BITS);
}

/** Nothing that an endpoint could act on; the body is judged later, by the endpoint. */
function isEmpty(body: unknown): boolean {
  return typeof body !== 'object' || body === null || Object.keys(body).length === 0;
}

/** The library hands out the very count that it goes on with; here each request gets the one that it made. */
function hitsInMemory(): HitStore {
  const store = new MemoryStore();
  return {
    init: (options) => store.init(options),
    async increment(key) {
      const counting = store.increment(key);
      const { totalHits = 1, resetTime } = store.current.get(key) ?? {};
      await counting;
      return { totalHits, resetTime };
    },
    decrement: (key) => store.decrement(key),
    resetKey: (key) => store.resetKey(key),
    shutdown: () => store.shutdown(),
  };
}

function boundedHits(store: HitStore, deadline: Deadline): HitStore {
  return {
    init: (options) => store.init?.(options),
    increment: (key) => deadline(async () => store.increment(key)),
    decrement: (key) => store.decrement(key),
    resetKey: (key) => store.resetKey(key),
    shutdown: () => store.shutdown?.(),
  };
}

/** The stores count by the system's time; a clock that leaps ahead of it gets new windows by their names. */
function withClock(store: HitStore, clock: Clock): HitStore {
  const startedAtMs = clock.now();
  const windowNumber = () => Math.floor((clock.now() - startedAtMs) / WINDOW_MS);
  return { ...store, increment: (key) => store.increment(`${windowNumber()}:${key}`) };
}

/** The stores' times are the system's. */
function secondsUntil(time: Date | undefined): number {
  const remainingMs = (time?.getTime() ?? Number.NaN) - new Date().getTime();
  return Math.max(1, Math.ceil((Number.isNaN(remainingMs) ? WINDOW_MS : remainingMs) / 1000));
}
