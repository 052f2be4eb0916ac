import { OtpAuthError } from '../../errors.js';
import type { Emit } from '../events.js';
import { type Identifier, identifiersOf, maskIdentifier } from '../identifier.js';
import type { Notify } from '../notify.js';
import type { Clock } from '../ports.js';
import type { RequestOtp } from '../request-otp.js';
import type { Requester } from '../requester.js';
import type { Sessions } from '../sessions.js';
import type { ConsumeOtp } from '../verify-otp.js';
import { identifierTaken } from './accounts.js';
import type { CheckedUserStore } from './checked-user-store.js';

/** A user gives an address or a number to be reached by from now on. */
export interface IdentifierChange {
  userId: string;
  identifier: Identifier;
  requester: Requester;
  locale: string;
}

export interface ChangeIdentifier {
  /** Sends a code to the new identifier. Whether somebody has it already, the answer does not tell. */
  request(change: IdentifierChange): ReturnType<RequestOtp>;
  /**
   * Puts the new identifier in place of the one of its kind, tells the old one, and ends the user's other sessions: what
   * they were opened with may be out of the user's hands.
   *
   * @throws OtpAuthError `invalid_otp`, `rate_limited`; `conflict` where somebody has the identifier: only who holds it
   *   hears that
   */
  confirm(change: IdentifierChange & { code: string; sessionId?: string | undefined }): ReturnType<typeof ownUser>;
}

export function createChangeIdentifier(deps: {
  userStore: CheckedUserStore;
  requestOtp: RequestOtp;
  consumeOtp: ConsumeOtp;
  sessions: Pick<Sessions, 'list' | 'end'>;
  notify: Notify;
  clock: Clock;
  emit: Emit;
}): ChangeIdentifier {
  const { userStore, sessions } = deps;

  const endOthers = async (userId: string, sessionId: string | undefined, requester: Requester) => {
    const others = (await sessions.list(userId)).filter(({ id }) => id !== sessionId);
    await Promise.all(others.map(({ id }) => sessions.end({ id: userId }, id, 'identifier_changed', { requester })));
  };

  return {
    async request({ userId, ...request }) {
      await ownUser(userStore, userId);
      return deps.requestOtp({ ...request, purpose: 'change-identifier', userId });
    },

    async confirm({ userId, sessionId, identifier, code, requester, locale }) {
      await deps.consumeOtp({ identifier, code, requester, purpose: 'change-identifier', userId });
      const before = await ownUser(userStore, userId);
      const member = identifier.kind === 'email' ? 'email' : 'phoneNumber';
      if (before[member] === identifier.value) return before;

      const after = await userStore.update(userId, { [member]: identifier.value });
      if (after === 'taken') throw identifierTaken();
      if (after === undefined) throw new OtpAuthError('invalid_token');
      await endOthers(userId, sessionId, requester);
      const known = identifiersOf(before);
      const replaced = known.filter(({ kind }) => kind === identifier.kind);
      for (const old of replaced.length > 0 ? replaced : known) deps.notify(old, 'identifier_changed', locale);
      const at = deps.clock.now();
      const context = { at, identifier: maskIdentifier(identifier), userId, sessionId, ...requester };
      deps.emit('user.updated', { ...context, changed: [member] });
      return after;
    },
  };
}

/** The account of whoever is signed in. @throws OtpAuthError `invalid_token` where it is gone, or disabled */
export async function ownUser(userStore: Pick<CheckedUserStore, 'findById'>, userId: string) {
  const user = await userStore.findById(userId);
  if (user === undefined || user.disabled) throw new OtpAuthError('invalid_token');
  return user;
}
