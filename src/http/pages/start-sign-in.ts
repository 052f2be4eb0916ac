import type { Request, Response } from 'express';
import type { Identifier } from '../../core/identifier.js';
import type { Clock } from '../../core/ports.js';
import { randomId } from '../../core/random-id.js';
import { PENDING_LIFE_MS, type PendingSignIn, type PendingSignIns } from './pending-sign-in.js';
import type { SignInLinks } from './sign-in-links.js';

/** A code that a browser asks for. */
export interface StartedSignIn {
  /** The link for the message; `undefined` where messages hold none. */
  link: ((code: string, expiresAtMs: number) => string) | undefined;
  /** Has the browser remember it, once the message is on its way. */
  keep: (res: Response, resendInSeconds: number) => PendingSignIn;
}

/** Asking again for the same address is the same sign-in: a link in an earlier message, whose code still works, works too. */
export type StartSignIn = (req: Request, identifier: Identifier, returnTo?: string) => StartedSignIn;

export function createStartSignIn(deps: {
  pendings: PendingSignIns;
  links: SignInLinks | undefined;
  clock: Clock;
}): StartSignIn {
  const { pendings, links, clock } = deps;
  return (req, identifier, returnTo) => {
    const known = pendings.read(req);
    const { id, sends } =
      known?.identifier.kind === identifier.kind && known.identifier.value === identifier.value
        ? known
        : { id: randomId(), sends: 0 };
    return {
      link:
        links && identifier.kind === 'email'
          ? (code, expiresAtMs) => links.make({ id, identifier }, code, expiresAtMs)
          : undefined,
      keep(res, resendInSeconds) {
        const nowMs = clock.now();
        const pending = {
          id,
          identifier,
          returnTo,
          resendAtMs: nowMs + resendInSeconds * 1000,
          endsAtMs: nowMs + PENDING_LIFE_MS,
          sends: sends + 1,
        };
        pendings.keep(req, res, pending);
        return pending;
      },
    };
  };
}
