import type { Keys } from './keys.js';
import type { RedisClient } from './redis-client.js';
import { runScript } from './run-script.js';
import { crossOffMembers } from './scripts/cross-off-members.js';

/** One revocation of a user's: of an id (a token's or a session's), or of everything issued before a time. */
export type Revocation =
  | { what: 'id'; id: string; lifeMs: number }
  /** `revokedAtMs` is by the clock that tokens are issued by. */
  | { what: 'user'; revokedAtMs: number; lifeMs: number };

/** The last two arguments of every script that revokes: see `scripts/announce.ts`. */
export type Announcement = readonly [channel: string, stamp: string];

export const UNANNOUNCED: Announcement = ['', ''];

/** How the processes that answer from memory learn that something was revoked. Everything that revokes goes through it. */
export interface RevocationNews {
  /**
   * Runs a script that may revoke something of the user's, which its reply tells. Where it did, resolves only when no
   * process takes anything for good any longer because it has not heard.
   */
  spread<Reply>(
    userKey: string,
    run: (announcement: Announcement) => Promise<Reply>,
    revokedBy: (reply: Reply) => readonly Revocation[],
  ): Promise<Reply>;
}

/**
 * For a process that asks Redis every time, and is told nothing itself. Others may be set to answer from memory, in the
 * middle of a deployment say: they are crossed off, so that they ask again.
 */
export function newsFromOutside(client: RedisClient, keys: Keys): RevocationNews {
  return {
    async spread(_userKey, run, revokedBy) {
      const reply = await run(UNANNOUNCED);
      if (revokedBy(reply).length > 0) await runScript(client, crossOffMembers, [keys.registry], []);
      return reply;
    },
  };
}
