import type { Requester } from './requester.js';
import type { Sessions, SignIn } from './sessions.js';
import type { Tokens } from './tokens.js';

/** Ends the sessions whose refresh cookies a sign-in takes the place of: nobody holds them any more. Never rejects. */
export type EndReplaced = (
  refreshTokens: readonly string[],
  successor: Pick<SignIn, 'sessionId'>,
  requester: Requester,
) => Promise<void>;

export function createEndReplaced({
  tokens,
  sessions,
}: {
  tokens: Pick<Tokens, 'authenticRefresh'>;
  sessions: Pick<Sessions, 'end'>;
}): EndReplaced {
  return async (refreshTokens, { sessionId }, requester) => {
    const replaced = new Map<string, string>();
    for (const token of refreshTokens) {
      const claims = tokens.authenticRefresh(token);
      if (claims !== undefined && claims.sid !== sessionId) replaced.set(claims.sid, claims.sub);
    }
    const endings = [...replaced].map(([sid, sub]) => sessions.end({ id: sub }, sid, 'replaced', { requester }));
    await Promise.allSettled(endings); // where the store fails, they end when their time is up
  };
}
