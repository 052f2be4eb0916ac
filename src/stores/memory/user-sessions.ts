import type {
  AdoptSession,
  EndSession,
  OpenOutcome,
  OpenSession,
  RotateOutcome,
  RotateSession,
  SessionRecord,
  Store,
} from '../../core/ports.js';
import { expiringMap } from './expiring-map.js';
import type { Revocations } from './revocations.js';

interface Session {
  record: SessionRecord;
  refreshId: string;
  /** What `refreshId` replaced; a session that was never rotated has none. */
  previousId: string | undefined;
  rotatedAtMs: number;
  /** `moved`: goes on under another user key, and is here for repeats and to find reuse alone. */
  state: 'here' | 'moved';
}

/** The sessions of one process, by user and id. */
export interface UserSessions {
  open(request: OpenSession): OpenOutcome;
  rotate(request: RotateSession): RotateOutcome;
  adopt(request: AdoptSession): OpenOutcome;
  end(request: EndSession): boolean;
  endAll(request: Parameters<Store['endAllSessions']>[0]): string[];
  raise(request: Parameters<Store['raiseSession']>[0]): boolean;
  list(request: Parameters<Store['listSessions']>[0]): SessionRecord[];
}

/** Makes the list, empty. What ends here is revoked in `revoked`. */
export function userSessions(revoked: Revocations): UserSessions {
  const users = expiringMap<Map<string, Session>>();

  /** The user's sessions, moved ones included, after the dead ones are dropped. */
  function living(userKey: string, nowMs: number): Map<string, Session> {
    const sessions = users.get(userKey, nowMs) ?? new Map<string, Session>();
    for (const [id, { record }] of sessions) {
      if (!isAlive(record, nowMs)) sessions.delete(id);
    }
    return sessions;
  }

  function put(userKey: string, sessions: Map<string, Session>, session: Session, nowMs: number): void {
    sessions.set(session.record.id, session);
    users.set(userKey, sessions, session.record.expiresAtMs, nowMs);
  }

  return {
    open({ userKey, session: record, refreshId, decidedAtMs, nowMs, maxSessions, revocationMs }) {
      if (revoked.coversSession(userKey, decidedAtMs)) return { outcome: 'refused' };
      const sessions = living(userKey, nowMs);
      if (sessions.get(record.id)?.state === 'here') return { outcome: 'opened', endedSessionIds: [] };
      put(userKey, sessions, newSession(record, refreshId, nowMs), nowMs);

      const others = [...sessions.values()].filter(({ record: { id }, state }) => state === 'here' && id !== record.id);
      const endedSessionIds = newestFirst(others)
        .slice(Math.max(0, maxSessions - 1))
        .map(({ id }) => id);
      for (const id of endedSessionIds) {
        sessions.delete(id);
        revoked.revokeSession(userKey, id, revocationMs);
      }
      return { outcome: 'opened', endedSessionIds };
    },

    rotate({ userKey, sessionId, presentedId, nextId, nowMs, graceMs, idleMs, revocationMs, moving }) {
      const sessions = living(userKey, nowMs);
      const session = sessions.get(sessionId);
      if (session === undefined) return { outcome: 'ended' };

      if (presentedId === session.refreshId && session.state === 'here') {
        const expiresAtMs = Math.min(nowMs + idleMs, session.record.endsAtMs);
        const record = { ...session.record, lastUsedAtMs: nowMs, expiresAtMs };
        const state = moving ? 'moved' : 'here';
        const successor: Session = { record, refreshId: nextId, previousId: presentedId, rotatedAtMs: nowMs, state };
        put(userKey, sessions, successor, nowMs);
        return { outcome: 'rotated', ...answer(successor) };
      }

      // Either way: one server's clock may be a little behind another's, but one that was set back gives no more time.
      if (presentedId === session.previousId && Math.abs(nowMs - session.rotatedAtMs) < graceMs) {
        return { outcome: 'repeated', ...answer(session) };
      }

      sessions.delete(sessionId);
      revoked.revokeSession(userKey, sessionId, revocationMs);
      return { outcome: 'reused' };
    },

    adopt({ userKey, session: record, refreshId, rotatedAtMs, nowMs }) {
      if (revoked.coversSession(userKey, record.startedAtMs)) return { outcome: 'refused' };
      // Ended while it was on its way from another user key.
      if (revoked.hasSession(userKey, record.id)) return { outcome: 'refused' };
      const sessions = living(userKey, nowMs);
      if (sessions.get(record.id)?.state !== 'here') {
        put(userKey, sessions, newSession(record, refreshId, rotatedAtMs), nowMs);
      }
      return { outcome: 'opened', endedSessionIds: [] };
    },

    end({ userKey, sessionId, revocationMs, token }) {
      revoked.revokeSession(userKey, sessionId, revocationMs);
      if (token !== undefined && token.remainingMs > 0) revoked.revokeToken(userKey, token.id, token.remainingMs);
      const sessions = users.get(userKey, Number.NEGATIVE_INFINITY);
      const wasHere = sessions?.get(sessionId)?.state === 'here';
      sessions?.delete(sessionId);
      return wasHere;
    },

    endAll({ userKey, nowMs, revocationMs }) {
      const sessions = users.get(userKey, Number.NEGATIVE_INFINITY) ?? new Map<string, Session>();
      for (const id of sessions.keys()) revoked.revokeSession(userKey, id, revocationMs);
      revoked.revokeUser(userKey, nowMs, revocationMs);
      users.delete(userKey);
      return [...sessions.values()]
        .filter(({ record, state }) => state === 'here' && isAlive(record, nowMs))
        .map(({ record }) => record.id);
    },

    raise({ userKey, sessionId, amr, nowMs }) {
      const session = living(userKey, nowMs).get(sessionId);
      if (session?.state !== 'here') return false;
      session.record = { ...session.record, amr };
      return true;
    },

    list({ userKey, nowMs }) {
      return newestFirst([...living(userKey, nowMs).values()].filter(({ state }) => state === 'here'));
    },
  };
}

const isAlive = ({ expiresAtMs, endsAtMs }: SessionRecord, nowMs: number) => expiresAtMs > nowMs && endsAtMs > nowMs;

function newSession(record: SessionRecord, refreshId: string, rotatedAtMs: number): Session {
  return { record: copy(record), refreshId, previousId: undefined, rotatedAtMs, state: 'here' };
}

function newestFirst(sessions: Session[]): SessionRecord[] {
  return sessions.map(({ record }) => copy(record)).toSorted((one, other) => other.startedAtMs - one.startedAtMs);
}

const answer = ({ record, refreshId, rotatedAtMs }: Session) => ({ refreshId, rotatedAtMs, session: copy(record) });

/** Callers may change what they handed in or were handed: it is not what is kept. */
const copy = (record: SessionRecord): SessionRecord => ({ ...record, amr: [...record.amr] });
