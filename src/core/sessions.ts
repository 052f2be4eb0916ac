import { isOtpAuthError, OtpAuthError } from '../errors.js';
import { DEVICE_LIFE_MS } from './device.js';
import type { Emit } from './events.js';
import { identifiersOf, kindOf, maskedIdentifierOf, type Reachable } from './identifier.js';
import type { Clock, SessionRecord, Store } from './ports.js';
import { randomId } from './random-id.js';
import { describeUserAgent, type Requester } from './requester.js';
import { identifierKeyUnder, type Secrets, userKeyFor } from './secrets.js';
import { RESERVED_CLAIMS, type Tokens } from './tokens.js';
import type { User, Users } from './users.js';

/** What someone who is signed in holds. */
export interface SignIn {
  accessToken: string;
  /** Seconds. */
  expiresIn: number;
  refreshToken: string;
  /** Seconds. */
  refreshExpiresIn: number;
  sessionId: string;
  user: User;
}

/** Whose sessions: the address is for events alone. */
export type SessionOwner = Reachable & { id: string };

/** Everything that starts, goes on with or ends a session. Nothing else opens one, so no way to sign in can forget a factor. */
export interface Sessions {
  /**
   * @param decidedAtMs when it was judged that the user may sign in
   * @returns `undefined` where something was taken from the user, or all of the user's sessions were ended, since then
   */
  open(user: User, amr: readonly string[], decidedAtMs: number, requester: Requester): Promise<SignIn | undefined>;
  /** @throws OtpAuthError `invalid_refresh_token` */
  refresh(refreshToken: string, requester: Requester): Promise<SignIn>;
  /** Ends one session of a user, and with it an access token of it; `false` where there is no such session. */
  end(
    user: SessionOwner,
    sessionId: string,
    reason: string,
    details?: { token?: { id: string; remainingMs: number }; requester?: Requester },
  ): Promise<boolean>;
  /** The same for an id that somebody made up, maybe: one that is not listed leaves no trace in the store. */
  endListed(user: SessionOwner, sessionId: string, reason: string, requester?: Requester): Promise<boolean>;
  /** Notes that the session's user has shown another factor; its next access token says so. */
  raise(userId: string, sessionId: string, amr: readonly string[]): Promise<void>;
  /** Revokes one access token, and lets its session go on. */
  revokeAccessToken(userId: string, token: { id: string; remainingMs: number }): Promise<void>;
  /** Ends all sessions of a user, and returns how many there were. Their device cookies are those of strangers from now on. */
  endAll(user: SessionOwner, reason: string, requester?: Requester): Promise<number>;
  /** Newest first. */
  list(userId: string): Promise<SessionRecord[]>;
}

export interface SessionsDeps {
  store: Store;
  tokens: Tokens;
  secrets: Secrets;
  users: Users;
  clock: Clock;
  emit: Emit;
  claims?: ((user: User) => Record<string, unknown> | Promise<Record<string, unknown>>) | undefined;
  settings: {
    accessTokenMinutes: number;
    refreshTokenDays: number;
    sessionMaxDays: number;
    refreshGraceSeconds: number;
    maxSessionsPerUser: number;
    /** Where there are second factors: how long a sign-in may wait for one. */
    challengeMs: number;
  };
}

const DAY_MS = 86_400_000;

export function createSessions(deps: SessionsDeps): Sessions {
  const { store, tokens, secrets, users, clock, settings } = deps;
  const accessMs = settings.accessTokenMinutes * 60_000;
  // As long as the youngest token that it names, and no longer.
  const revocationMs = accessMs;
  const userRevocationMs = Math.max(accessMs, settings.challengeMs);
  const idleMs = settings.refreshTokenDays * DAY_MS;

  /** The application's claims, from a copy; asked for before a session changes, because the application may fail. */
  const claimsOf = async (user: User) =>
    withoutReserved((await deps.claims?.({ ...user, roles: [...user.roles] })) ?? {});

  function issueTokens(
    user: User,
    claims: Record<string, unknown>,
    session: SessionRecord,
    refreshId: string,
    { nowMs, rotatedAtMs }: { nowMs: number; rotatedAtMs: number },
  ): SignIn {
    // From before the store was asked: no token outlives a revocation of its session, however long the store took.
    const iat = toSeconds(nowMs);
    const exp = Math.min(iat + accessMs / 1000, toSeconds(session.endsAtMs));
    const accessToken = tokens.signAccess(
      {
        ...claims,
        sub: user.id,
        ...(user.email === undefined ? {} : { email: user.email }),
        ...(user.phoneNumber === undefined ? {} : { phone_number: user.phoneNumber }),
        roles: [...user.roles],
        sid: session.id,
        jti: randomId(),
        auth_time: toSeconds(session.startedAtMs),
        amr: [...session.amr],
      },
      { iat, exp },
    );
    const refreshExpiry = toSeconds(session.expiresAtMs);
    const refreshToken = tokens.signRefresh({
      sub: user.id,
      sid: session.id,
      jti: refreshId,
      iat: toSeconds(rotatedAtMs),
      exp: refreshExpiry,
    });
    return {
      accessToken,
      expiresIn: exp - iat,
      refreshToken,
      refreshExpiresIn: Math.max(0, refreshExpiry - iat),
      sessionId: session.id,
      user,
    };
  }

  const emit = (
    name: 'session.started' | 'session.refreshed' | 'session.reuse_detected' | 'session.ended',
    user: SessionOwner,
    sessionId: string | undefined,
    details: { amr: readonly string[]; reason: string; ip?: string | undefined; userAgent?: string | undefined },
  ) => deps.emit(name, { at: clock.now(), identifier: maskedOwner(user), userId: user.id, sessionId, ...details });

  /** Everywhere that a record of the session may be: under each listed secret. */
  const endUnderEachSecret = async (userId: string, sessionId: string, token?: { id: string; remainingMs: number }) => {
    const ended = await Promise.all(
      secrets.all.map((era) => store.endSession({ userKey: userKeyFor(era, userId), sessionId, revocationMs, token })),
    );
    return ended.includes(true);
  };

  const revokeDevices = async (user: SessionOwner, nowMs: number) => {
    const identifiers = identifiersOf({ ...user, ...(await users.find(user.id)) });
    // Under each listed secret: the cookies that the newest has signed outlive the others.
    const identifierKeys = secrets.all.flatMap((era) => identifiers.map((each) => identifierKeyUnder(era, each)));
    await Promise.all(
      identifierKeys.map((identifierKey) =>
        store.revokeDevices({ identifierKey, nowMs, forgetAfterMs: DEVICE_LIFE_MS }),
      ),
    );
  };

  const list = async (userId: string) => {
    const nowMs = clock.now();
    const listed = await Promise.all(
      secrets.all.map((era) => store.listSessions({ userKey: userKeyFor(era, userId), nowMs })),
    );
    return listed.flat().sort((a, b) => b.startedAtMs - a.startedAtMs);
  };

  const end: Sessions['end'] = async (user, sessionId, reason, { token, requester } = {}) => {
    const ended = await endUnderEachSecret(user.id, sessionId, token);
    if (ended) emit('session.ended', user, sessionId, { amr: [], reason, ...requester });
    return ended;
  };

  const rotate: Sessions['refresh'] = async (refreshToken, requester) => {
    const { claims, era } = tokens.verifyRefresh(refreshToken);
    const user = await users.find(claims.sub);
    if (user === undefined) throw new OtpAuthError('invalid_refresh_token');
    const added = await claimsOf(user);
    const nowMs = clock.now();
    const moving = era !== secrets.current;
    const rotation = await store.rotateSession({
      userKey: userKeyFor(era, claims.sub),
      sessionId: claims.sid,
      presentedId: claims.jti,
      nextId: randomId(),
      nowMs,
      graceMs: settings.refreshGraceSeconds * 1000,
      idleMs,
      revocationMs,
      moving,
    });
    if (rotation.outcome === 'reused') {
      if (secrets.all.length > 1) await endUnderEachSecret(claims.sub, claims.sid);
      const details = { amr: [], reason: 'refresh_token_reused', ...requester };
      emit('session.reuse_detected', user, claims.sid, details);
      emit('session.ended', user, claims.sid, details);
    }
    if (rotation.outcome === 'reused' || rotation.outcome === 'ended') throw new OtpAuthError('invalid_refresh_token');
    const { session, refreshId, rotatedAtMs } = rotation;
    if (moving) {
      const adopted = await store.adoptSession({
        userKey: userKeyFor(secrets.current, claims.sub),
        session,
        refreshId,
        rotatedAtMs,
        nowMs,
      });
      if (adopted.outcome === 'refused') throw new OtpAuthError('invalid_refresh_token');
    }
    emit('session.refreshed', user, session.id, { amr: session.amr, reason: rotation.outcome, ...requester });
    return issueTokens(user, added, session, refreshId, { nowMs, rotatedAtMs });
  };

  return {
    list,
    end,

    async open(user, amr, decidedAtMs, requester) {
      const nowMs = clock.now();
      const endsAtMs = nowMs + settings.sessionMaxDays * DAY_MS;
      const session: SessionRecord = {
        id: randomId(),
        startedAtMs: nowMs,
        lastUsedAtMs: nowMs,
        expiresAtMs: Math.min(nowMs + idleMs, endsAtMs),
        endsAtMs,
        amr,
        ip: requester.ip,
        userAgent: describeUserAgent(requester.userAgent),
      };
      const refreshId = randomId();
      const claims = await claimsOf(user);
      const opened = await store.openSession({
        userKey: userKeyFor(secrets.current, user.id),
        session,
        refreshId,
        decidedAtMs,
        nowMs,
        revocationMs,
        maxSessions: settings.maxSessionsPerUser,
      });
      if (opened.outcome === 'refused') return undefined;
      // Whoever takes something away from a user does that first, and ends all sessions then: either this one is there
      // by then, or what was taken is seen here.
      if (!hasAllOf(user, await users.find(user.id))) {
        await endUnderEachSecret(user.id, session.id);
        return undefined;
      }
      for (const ended of opened.endedSessionIds) emit('session.ended', user, ended, { amr, reason: 'too_many' });
      emit('session.started', user, session.id, { amr, reason: 'sign_in', ...requester });
      return issueTokens(user, claims, session, refreshId, { nowMs, rotatedAtMs: nowMs });
    },

    async refresh(refreshToken, requester) {
      try {
        return await rotate(refreshToken, requester);
      } catch (error) {
        if (isOtpAuthError(error) && error.code === 'invalid_refresh_token')
          deps.emit('access.refused', { at: clock.now(), ...requester, code: error.code });
        throw error;
      }
    },

    async endListed(user, sessionId, reason, requester = {}) {
      const listed = await list(user.id);
      return listed.some(({ id }) => id === sessionId) && end(user, sessionId, reason, { requester });
    },

    async raise(userId, sessionId, amr) {
      const nowMs = clock.now();
      await Promise.all(
        secrets.all.map((era) => store.raiseSession({ userKey: userKeyFor(era, userId), sessionId, amr, nowMs })),
      );
    },

    async revokeAccessToken(userId, { id, remainingMs }) {
      await Promise.all(
        secrets.all.map((era) => store.revokeToken({ userKey: userKeyFor(era, userId), tokenId: id, remainingMs })),
      );
    },

    async endAll(user, reason, requester) {
      const nowMs = clock.now();
      const [ended] = await Promise.all([
        Promise.all(
          secrets.all.map((era) =>
            store.endAllSessions({ userKey: userKeyFor(era, user.id), nowMs, revocationMs: userRevocationMs }),
          ),
        ),
        revokeDevices(user, nowMs),
      ]);
      const sessionIds = new Set(ended.flat());
      for (const sessionId of sessionIds) emit('session.ended', user, sessionId, { amr: [], reason, ...requester });
      return sessionIds.size;
    },
  };
}

/** Whether what a sign-in was decided on is still true. */
function hasAllOf(decided: User, now: User | undefined): boolean {
  return (
    now !== undefined &&
    now.email === decided.email &&
    now.phoneNumber === decided.phoneNumber &&
    decided.roles.every((role) => now.roles.includes(role))
  );
}

function withoutReserved(claims: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(claims).filter(([name]) => !RESERVED_CLAIMS.has(name)));
}

function toSeconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}

/** Without accounts, the id is where somebody can be reached. */
function maskedOwner({ id, ...reachable }: SessionOwner): string | undefined {
  const own = kindOf(id) === 'email' ? { email: id } : {};
  return maskedIdentifierOf(reachable) ?? maskedIdentifierOf(own);
}
