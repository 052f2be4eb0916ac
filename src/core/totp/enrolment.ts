import { OtpAuthError } from '../../errors.js';
import type { Emit } from '../events.js';
import { maskedIdentifierOf } from '../identifier.js';
import type { Clock, NoticeKind } from '../ports.js';
import type { Requester } from '../requester.js';
import type { Secrets } from '../secrets.js';
import type { Sessions } from '../sessions.js';
import type { Change } from '../users/accounts.js';
import type { UserRecord, UserStore } from '../users/user-store.js';
import { drawRecoveryCodes, hashRecoveryCode } from './recovery-codes.js';
import type { FactorAttempt, SecondFactor } from './second-factor.js';
import type { TotpLibrary } from './totp-library.js';
import { sealTotpState, type TotpState } from './totp-state.js';

/** Taking an authenticator app into use, and out of it. */
export interface Enrolment {
  /**
   * A new secret for the user's app; nothing is enforced until it is confirmed.
   *
   * @throws OtpAuthError `conflict` where one is in use already
   */
  enroll(userId: string): Promise<{ secret: string; uri: string; qrCode: string }>;
  /** What an app reads a secret from, as a page shows it: `otpauth://` URI, and the same as an SVG. */
  present(secret: string, account: string): Promise<{ uri: string; qrCode: string }>;
  /**
   * From now on the second factor is asked for. The recovery codes are shown this once.
   *
   * @param holder - With `secret`, that very one is confirmed, and none that was drawn since then.
   * @throws OtpAuthError `invalid_totp`, `rate_limited`; `conflict` where there is nothing to confirm
   */
  confirm(
    holder: { userId: string; sessionId: string | undefined; secret?: string | undefined },
    code: string,
    by: Change,
  ): Promise<{ recoveryCodes: string[] }>;
  /** New recovery codes; the old ones are dead. */
  renewRecoveryCodes(userId: string, code: string, by: Change): Promise<{ recoveryCodes: string[] }>;
  /** By the app, or, where that is lost, by a recovery code. */
  disable(userId: string, attempt: FactorAttempt, by: Change): Promise<void>;
  /** Without a code: whoever calls it has seen to it that this is what the user wants. */
  reset(userId: string, by: Change): Promise<void>;
}

export interface EnrolmentDeps {
  userStore: Pick<UserStore, 'update'>;
  secondFactor: SecondFactor;
  sessions: Pick<Sessions, 'raise' | 'endAll'>;
  secrets: Secrets;
  library: TotpLibrary;
  clock: Clock;
  emit: Emit;
  /** Tells the user of the change. */
  notify: (user: UserRecord, kind: NoticeKind, locale: string) => void;
  issuer: string;
  /** Whether everybody must have a second factor. */
  isRequired: boolean;
}

export function createEnrolment(deps: EnrolmentDeps): Enrolment {
  const { userStore, secondFactor, secrets, library } = deps;

  const save = async (user: UserRecord, state: TotpState) => {
    const saved = await userStore.update(user.id, { totp: sealTotpState(secrets, user.id, state) });
    if (!saved || saved === 'taken') throw new OtpAuthError('invalid_token'); // the user is gone
  };
  const withNewCodes = (state: TotpState) => {
    const recoveryCodes = drawRecoveryCodes();
    const recoveryHashes = recoveryCodes.map((code) => hashRecoveryCode(state.secret, code));
    return { recoveryCodes, state: { ...state, isConfirmed: true, recoveryHashes } };
  };
  const requireEnforced = (user: UserRecord): TotpState => {
    const enforced = secondFactor.enforced(user);
    if (enforced === undefined) throw new OtpAuthError('conflict', 'No authenticator app is in use.');
    return enforced;
  };
  const emit = (name: 'totp.enabled' | 'totp.disabled', user: UserRecord, requester: Requester) =>
    deps.emit(name, { at: deps.clock.now(), userId: user.id, identifier: maskedIdentifierOf(user), ...requester });
  const remove = async (user: UserRecord, { requester, locale }: Change) => {
    // Where everybody must have one, what was signed in with it is worth nothing without: before, so that nothing is
    // half done where sessions cannot be ended; and after, for those opened in between.
    if (deps.isRequired) await deps.sessions.endAll(user, 'totp_disabled', requester);
    await userStore.update(user.id, { totp: null });
    if (deps.isRequired) await deps.sessions.endAll(user, 'totp_disabled', requester);
    emit('totp.disabled', user, requester);
    deps.notify(user, 'totp_disabled', locale);
  };

  return {
    async enroll(userId) {
      const secret = library.drawSecret();
      const user = await secondFactor.change(userId, async (found) => {
        if (secondFactor.enforced(found)) throw new OtpAuthError('conflict', 'An authenticator app is in use already.');
        await save(found, { secret, isConfirmed: false, recoveryHashes: [] });
        return found;
      });
      const uri = library.uri(secret, deps.issuer, user.email ?? user.phoneNumber ?? user.id);
      return { secret, uri, qrCode: await library.qrCode(uri) };
    },

    async present(secret, account) {
      const uri = library.uri(secret, deps.issuer, account);
      return { uri, qrCode: await library.qrCodeSvg(uri) };
    },

    confirm({ userId, sessionId, secret }, code, { requester, locale }) {
      return secondFactor.change(userId, async (user) => {
        const pending = secondFactor.read(user);
        if (pending === undefined || pending.isConfirmed)
          throw new OtpAuthError(
            'conflict',
            pending ? 'An authenticator app is in use already.' : 'Enrol an authenticator app first.',
          );
        if (secret !== undefined && secret !== pending.secret)
          throw new OtpAuthError('conflict', 'Another authenticator app is being set up.');
        await secondFactor.judge({ user, state: pending, attempt: { code }, requester });
        const { recoveryCodes, state } = withNewCodes(pending);
        await save(user, state);
        emit('totp.enabled', user, requester);
        deps.notify(user, 'totp_enabled', locale);
        // The session has now shown both factors: its next access token says so. Where that cannot be noted, the next
        // sign-in shows them; the recovery codes are shown now or never.
        if (sessionId !== undefined) await deps.sessions.raise(userId, sessionId, ['otp', 'totp']).catch(() => {});
        return { recoveryCodes };
      });
    },

    renewRecoveryCodes(userId, code, { requester, locale }) {
      return secondFactor.change(userId, async (user) => {
        const enforced = requireEnforced(user);
        await secondFactor.judge({ user, state: enforced, attempt: { code }, requester });
        const { recoveryCodes, state } = withNewCodes(enforced);
        await save(user, state);
        deps.notify(user, 'recovery_codes_renewed', locale);
        return { recoveryCodes };
      });
    },

    disable(userId, attempt, by) {
      return secondFactor.change(userId, async (user) => {
        await secondFactor.judge({ user, state: requireEnforced(user), attempt, requester: by.requester });
        await remove(user, by);
      });
    },

    reset(userId, by) {
      return secondFactor.change(userId, async (user) => {
        // Also where no listed secret opens it.
        if (secondFactor.isEnabled(user)) await remove(user, by);
      });
    },
  };
}
