import type { Emit } from '../events.js';
import type { Exclusively } from '../exclusively.js';
import type { Notify } from '../notify.js';
import type { Clock, Logger, NoticeKind, Store } from '../ports.js';
import type { Secrets } from '../secrets.js';
import type { Sessions } from '../sessions.js';
import type { Tokens } from '../tokens.js';
import type { Users } from '../users.js';
import type { UserRecord, UserStore } from '../users/user-store.js';
import { createEnrolment, type Enrolment } from './enrolment.js';
import { CHALLENGE_SECONDS, createMfaChallenge, type MfaChallenge } from './mfa-challenge.js';
import { createSecondFactor } from './second-factor.js';
import { loadTotpLibrary } from './totp-library.js';

/** Second factors by authenticator apps: taking them into use, and signing in with them. */
export interface Totp {
  /** Resolves when the libraries are loaded; rejects where one is not installed. */
  ready: Promise<void>;
  enrolment: Enrolment;
  challenge: MfaChallenge;
  /** Whether the user is asked for a second factor. */
  isEnabled(user: UserRecord): boolean;
}

export function createTotp(deps: {
  userStore: UserStore;
  exclusively: Exclusively;
  users: Users;
  store: Store;
  secrets: Secrets;
  tokens: Tokens;
  sessions: Sessions;
  clock: Clock;
  emit: Emit;
  notify: Notify;
  logger: Logger;
  settings: { issuer: string; isRequired: boolean; failuresPerDay: number };
}): Totp {
  const library = loadTotpLibrary(deps.logger);
  const { issuer, isRequired, failuresPerDay } = deps.settings;
  const secondFactor = createSecondFactor({
    ...deps,
    library,
    failuresPerDay,
    challengeMs: CHALLENGE_SECONDS * 1000,
  });
  const notify = ({ email, phoneNumber }: UserRecord, kind: NoticeKind, locale: string) => {
    if (email) deps.notify({ kind: 'email', value: email }, kind, locale);
    else if (phoneNumber) deps.notify({ kind: 'phone', value: phoneNumber }, kind, locale);
  };
  return {
    ready: library.ready,
    enrolment: createEnrolment({ ...deps, secondFactor, library, notify, issuer, isRequired }),
    challenge: createMfaChallenge({ ...deps, secondFactor, notify }),
    isEnabled: (user) => secondFactor.isEnabled(user),
  };
}
