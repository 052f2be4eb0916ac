import type { Request, Response } from 'express';
import { z } from 'zod';
import type { Identifier } from '../../core/identifier.js';
import type { Clock } from '../../core/ports.js';
import { seal, unseal } from '../../core/seal.js';
import type { Secrets } from '../../core/secrets.js';
import { type CookieSettings, createCookie } from '../cookie.js';

/** A sign-in under way in one browser. */
export interface PendingSignIn {
  /** Random: names this sign-in in forms and links, which work in the browser that it is known to. */
  id: string;
  identifier: Identifier;
  /** Milliseconds since the epoch. */
  resendAtMs: number;
  endsAtMs: number;
  sends: number;
  returnTo?: string | undefined;
  /** With the first factor done and the second outstanding. */
  mfa?: { token: string; methods: readonly string[] } | undefined;
  /** Signed in, and setting up an authenticator app: the session, and the app's secret that was shown. */
  setUp?: { sessionId: string; secret: string } | undefined;
}

/**
 * Sign-ins under way, each kept by its browser in an encrypted cookie: the server remembers nothing, a page can be
 * reloaded, and neither the address nor anything else is ever in a URL. The cookie signs nobody in.
 */
export interface PendingSignIns {
  read(req: Request): PendingSignIn | undefined;
  keep(req: Request, res: Response, pending: PendingSignIn): void;
  forget(req: Request, res: Response): void;
}

/** Enough for a code and a second factor, each of ten minutes at most. */
export const PENDING_LIFE_MS = 1_200_000;

const contents = z.object({
  id: z.string(),
  identifier: z.object({ kind: z.enum(['email', 'phone']), value: z.string() }),
  resendAtMs: z.number(),
  endsAtMs: z.number(),
  sends: z.number(),
  returnTo: z.string().optional(),
  mfa: z.object({ token: z.string(), methods: z.array(z.string()) }).optional(),
  setUp: z.object({ sessionId: z.string(), secret: z.string() }).optional(),
});

export function pendingSignIns(deps: { secrets: Secrets; clock: Clock; cookie: CookieSettings }): PendingSignIns {
  const { secrets, clock } = deps;
  // Lax whatever the other cookies are: a link in a message is a way from another site.
  const cookie = createCookie('pending_sign_in', { ...deps.cookie, sameSite: 'lax' });

  return {
    read(req) {
      const found = cookie.read(req).flatMap((sealed) => {
        const { data } = contents.safeParse(unseal(secrets, 'sign-in-cookie', sealed));
        return data !== undefined && data.endsAtMs > clock.now() ? [data] : [];
      });
      return found.toSorted((one, other) => other.endsAtMs - one.endsAtMs)[0];
    },
    keep(req, res, pending) {
      const remainingSeconds = Math.ceil((pending.endsAtMs - clock.now()) / 1000);
      cookie.set(req, res, seal(secrets, 'sign-in-cookie', pending), remainingSeconds);
    },
    forget: (req, res) => cookie.clear(req, res),
  };
}
