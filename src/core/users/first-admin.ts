import { storeUnavailable } from '../../errors.js';
import type { Emit } from '../events.js';
import type { Exclusively } from '../exclusively.js';
import { type Identifier, maskIdentifier } from '../identifier.js';
import type { Clock, Logger } from '../ports.js';
import type { CheckedUserStore } from './checked-user-store.js';
import { ADMINS_LEASE } from './other-admin.js';
import { ADMIN, DEFAULT_ROLES } from './roles.js';
import { newUser } from './stored-users.js';

export interface FirstAdminDeps {
  userStore: CheckedUserStore;
  exclusively: Exclusively;
  clock: Clock;
  emit: Emit;
  logger: Logger;
}

const SHORTEST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;

/**
 * Sees to it that there is a user with this identifier who is an admin, so that nobody has to edit a database. Goes on
 * trying while the stores cannot be reached, and keeps no process alive by that.
 */
export function keepFirstAdmin(identifier: Identifier, deps: FirstAdminDeps): { stop(): void } {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  const attempt = async (pauseMs: number) => {
    try {
      await makeAdmin(identifier, deps);
    } catch {
      // What failed has been logged.
      if (stopped) return;
      timer = setTimeout(() => void attempt(Math.min(2 * pauseMs, LONGEST_PAUSE_MS)), pauseMs);
      timer.unref();
    }
  };
  void attempt(SHORTEST_PAUSE_MS);
  return {
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

/** Doing so again changes nothing, also from several processes at once. */
async function makeAdmin(identifier: Identifier, deps: FirstAdminDeps, isRepeated = false): Promise<void> {
  const { userStore, emit, clock, logger } = deps;
  const context = (userId: string) => ({ at: clock.now(), identifier: maskIdentifier(identifier), userId });

  const known = await userStore.findByIdentifier(identifier);
  if (known === undefined) {
    const created = await userStore.create(newUser(identifier, [...DEFAULT_ROLES, ADMIN], clock));
    if (created === 'taken') {
      // Another process was first, and has made the user who is found now.
      if (!isRepeated) return makeAdmin(identifier, deps, true);
      logger.error(
        'express-otp-auth: the identifier in users.firstAdmin is taken, but the user store finds nobody who has it',
      );
      throw storeUnavailable();
    }
    emit('user.created', context(created.id));
    return;
  }
  if (known.disabled) logger.warn('express-otp-auth: the user in users.firstAdmin is disabled, and stays so');
  if (known.roles.includes(ADMIN)) return;
  await deps.exclusively(ADMINS_LEASE, async () => {
    const { roles } = (await userStore.findById(known.id)) ?? known;
    const updated = await userStore.update(known.id, { roles: [...new Set([...roles, ADMIN])] });
    if (updated !== undefined) emit('user.updated', { ...context(known.id), changed: ['roles'] });
  });
}
