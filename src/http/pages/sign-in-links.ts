import { z } from 'zod';
import type { Clock } from '../../core/ports.js';
import { seal, unseal } from '../../core/seal.js';
import type { Secrets } from '../../core/secrets.js';
import type { PendingSignIn } from './pending-sign-in.js';

/** Links in messages, each of them good in one browser. */
export interface SignInLinks {
  /** The link for a code that a browser asked for. */
  make(pending: Pick<PendingSignIn, 'id' | 'identifier'>, code: string, expiresAtMs: number): string;
  /**
   * What a link holds. `foreign`: this is not the browser that asked, or it has signed in since. `expired`: the
   * link's time is up, or it is none of ours.
   */
  open(
    token: unknown,
    pending: PendingSignIn | undefined,
  ): { outcome: 'own'; code: string } | { outcome: 'foreign' | 'expired' };
}

const contents = z.object({
  id: z.string(),
  kind: z.string(),
  value: z.string(),
  code: z.string(),
  expiresAtMs: z.number(),
});

/**
 * A link is `…/sign-in/link?token=…#code=…`. The token is encrypted, and worth nothing without the cookie of the browser
 * that asked, so it may stand in logs. The code stands behind the `#`, which browsers keep to themselves: a page in another
 * browser shows it without the server having been told.
 *
 * @param publicUrl - Where the router is. Never what a request calls itself: whoever sends it chooses its `Host`.
 */
export function signInLinks(deps: { secrets: Secrets; clock: Clock; publicUrl: string }): SignInLinks {
  return {
    make({ id, identifier }, code, expiresAtMs) {
      const token = seal(deps.secrets, 'sign-in-link', { id, ...identifier, code, expiresAtMs });
      return `${deps.publicUrl}/sign-in/link?token=${token}#code=${code}`;
    },
    open(token, pending) {
      const { data } = contents.safeParse(
        typeof token === 'string' ? unseal(deps.secrets, 'sign-in-link', token) : undefined,
      );
      if (data === undefined || data.expiresAtMs <= deps.clock.now()) return { outcome: 'expired' };
      const isOwn =
        pending?.id === data.id && pending.identifier.kind === data.kind && pending.identifier.value === data.value;
      return isOwn ? { outcome: 'own', code: data.code } : { outcome: 'foreign' };
    },
  };
}
