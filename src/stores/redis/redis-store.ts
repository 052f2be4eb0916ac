import type {
  CodeAddress,
  CodeLimit,
  CodeStatus,
  ConsumeOutcome,
  FactorOutcome,
  IssueOutcome,
  OpenOutcome,
  RejectionReason,
  RotateOutcome,
  SessionRecord,
  SmsOutcome,
  Store,
} from '../../core/ports.js';
import { DEFAULT_PREFIXES, type Keys, keysFor, type KeyPrefixes } from './keys.js';
import { failFast } from './fail-fast.js';
import { newsFromOutside, type Revocation, type RevocationNews, UNANNOUNCED } from './revocation-news.js';
import type { RedisClient } from './redis-client.js';
import { isOne, runScript, type Script } from './run-script.js';
import { confirmSms } from './scripts/confirm-sms.js';
import { consumeCode } from './scripts/consume-code.js';
import { countSms } from './scripts/count-sms.js';
import { endAllSessions } from './scripts/end-all-sessions.js';
import { endSession } from './scripts/end-session.js';
import { inspectCodes } from './scripts/inspect-codes.js';
import { judgeFactor } from './scripts/judge-factor.js';
import { issueCode } from './scripts/issue-code.js';
import { listSessions } from './scripts/list-sessions.js';
import { openSession } from './scripts/open-session.js';
import { raiseSession } from './scripts/raise-session.js';
import { returnLease } from './scripts/return-lease.js';
import { revokeDevices } from './scripts/revoke-devices.js';
import { revokeToken } from './scripts/revoke-token.js';
import { rotateSession } from './scripts/rotate-session.js';
import { takeLease } from './scripts/take-lease.js';
import { withdrawCode } from './scripts/withdraw-code.js';
import { withdrawSms } from './scripts/withdraw-sms.js';

/**
 * Codes, sessions and revocations on Redis 6.2 or newer, Valkey, or a Cluster of either.
 *
 * The client is used as it is: no command is defined on it, no option changed, and `close()` leaves it open.
 */
export function redisStore(given: RedisClient, prefixes: Partial<KeyPrefixes> = {}): Store {
  const client = failFast(given);
  const keys = keysFor({ ...DEFAULT_PREFIXES, ...prefixes });
  return createRedisStore(client, keys, newsFromOutside(client, keys));
}

/** The store, and how others learn of what it revokes. */
export function createRedisStore(client: RedisClient, keys: Keys, news: RevocationNews): Store {
  const run = (script: Script, scriptKeys: readonly string[], args: readonly (string | number)[]) =>
    runScript(client, script, scriptKeys, args);

  const codeKeys = (address: CodeAddress, deviceLane?: string) => ({
    codes: keys.codes(address, deviceLane),
    sends: keys.sends(address.identifierKey, deviceLane),
    failures: keys.failures(address.identifierKey, deviceLane),
  });

  return {
    async issueCode(request) {
      const { rules } = request;
      const shared = codeKeys(request);
      const own = request.device && codeKeys(request, request.device.lane);
      const reply = await run(
        issueCode,
        [
          keys.devicesRevoked(request.identifierKey),
          shared.codes,
          shared.sends,
          shared.failures,
          ...(own ? [own.codes, own.sends, own.failures] : []),
        ],
        [
          request.nowMs,
          request.device?.issuedAtMs ?? '',
          request.codeId,
          request.codeHash,
          rules.expiryMs,
          rules.liveCodes,
          rules.maxAttempts,
          rules.resendCooldownMs,
          rules.sendsPerHour,
          rules.sendsPerDay,
          rules.failuresPerDay,
        ],
      );
      return readIssueReply(reply);
    },

    async withdrawCode(request) {
      const shared = codeKeys(request);
      const own = request.device && codeKeys(request, request.device.lane);
      await run(
        withdrawCode,
        [shared.codes, shared.sends, ...(own ? [own.codes, own.sends] : [])],
        [request.codeId, request.issuedAtMs, request.counts ?? 'taken_back'],
      );
    },

    async consumeCode(request) {
      const { rules } = request;
      const shared = codeKeys(request);
      const own = request.device && codeKeys(request, request.device.lane);
      const reply = await run(
        consumeCode,
        [
          keys.devicesRevoked(request.identifierKey),
          shared.codes,
          shared.failures,
          ...(own ? [own.codes, own.failures] : []),
        ],
        [
          request.nowMs,
          request.device?.issuedAtMs ?? '',
          rules.maxAttempts,
          rules.failuresPerDay,
          ...request.codeHashes,
        ],
      );
      return readConsumeReply(reply);
    },

    async inspectCodes(request) {
      const shared = codeKeys(request);
      const own = request.device && codeKeys(request, request.device.lane);
      const reply = await run(
        inspectCodes,
        [
          keys.devicesRevoked(request.identifierKey),
          shared.codes,
          shared.sends,
          shared.failures,
          ...(own ? [own.codes, own.sends, own.failures] : []),
        ],
        [request.nowMs, request.device?.issuedAtMs ?? ''],
      );
      return readInspectReply(reply);
    },

    async revokeDevices({ identifierKey, nowMs, forgetAfterMs }) {
      await run(revokeDevices, [keys.devicesRevoked(identifierKey)], [nowMs, forgetAfterMs]);
    },

    async countSms({ messageId, group, nowMs, rules }) {
      const reply = await run(
        countSms,
        [keys.smsSent, keys.smsOf(group, 'sent'), keys.smsOf(group, 'confirmed'), keys.smsOf(group, 'pause')],
        [nowMs, rules.smsPerHour, rules.windowMs, rules.leastSends, rules.leastShare, rules.pauseMs, messageId],
      );
      const [outcome, retryAfterMs] = reply as [SmsOutcome['outcome'], number];
      return outcome === 'counted' ? { outcome } : { outcome, retryAfterMs: Number(retryAfterMs) };
    },

    async withdrawSms({ messageId, group, countedAtMs }) {
      await run(withdrawSms, [keys.smsSent, keys.smsOf(group, 'sent')], [messageId, countedAtMs]);
    },

    async confirmSms({ messageId, group, nowMs, windowMs }) {
      await run(confirmSms, [keys.smsOf(group, 'confirmed')], [nowMs, windowMs, messageId]);
    },

    async openSession({ userKey, session, refreshId, decidedAtMs, nowMs, maxSessions, revocationMs }) {
      const stored = toStored(session, refreshId, nowMs);
      return news.spread(
        userKey,
        async (announcement) =>
          readOpenReply(
            await run(
              openSession,
              [keys.sessions(userKey), keys.revokedUser(userKey), keys.revoked(userKey, '')],
              [nowMs, session.id, stored, maxSessions, revocationMs, decidedAtMs, ...announcement],
            ),
          ),
        (opened) => (opened.outcome === 'opened' ? ofIds(opened.endedSessionIds, revocationMs) : []),
      );
    },

    async adoptSession({ userKey, session, refreshId, rotatedAtMs, nowMs }) {
      const stored = toStored(session, refreshId, rotatedAtMs);
      return readOpenReply(
        await run(
          openSession,
          [keys.sessions(userKey), keys.revokedUser(userKey), keys.revoked(userKey, '')],
          [nowMs, session.id, stored, 0, 0, session.startedAtMs, ...UNANNOUNCED],
        ),
      );
    },

    async rotateSession(request) {
      const { userKey, sessionId } = request;
      return news.spread(
        userKey,
        async (announcement) =>
          readRotateReply(
            sessionId,
            await run(
              rotateSession,
              [keys.sessions(userKey), keys.revoked(userKey, sessionId), keys.revokedUser(userKey)],
              [
                request.nowMs,
                sessionId,
                request.presentedId,
                request.nextId,
                request.graceMs,
                request.idleMs,
                request.revocationMs,
                request.moving ? '1' : '0',
                ...announcement,
              ],
            ),
          ),
        ({ outcome }) => (outcome === 'reused' ? ofIds([sessionId], request.revocationMs) : []),
      );
    },

    async endSession({ userKey, sessionId, revocationMs, token }) {
      const revokesToken = token !== undefined && token.remainingMs > 0;
      const reply = await news.spread(
        userKey,
        (announcement) =>
          run(
            endSession,
            [
              keys.sessions(userKey),
              keys.revoked(userKey, sessionId),
              ...(revokesToken ? [keys.revoked(userKey, token.id)] : []),
            ],
            [sessionId, revocationMs, ...announcement, ...(revokesToken ? [token.id, token.remainingMs] : [])],
          ),
        () => [...ofIds([sessionId], revocationMs), ...(revokesToken ? ofIds([token.id], token.remainingMs) : [])],
      );
      return isOne(reply);
    },

    async raiseSession({ userKey, sessionId, amr, nowMs }) {
      return isOne(await run(raiseSession, [keys.sessions(userKey)], [nowMs, sessionId, amr.join(' ')]));
    },

    async judgeFactor({ userKey, proof, challengeId, challengeMs, nowMs, failuresPerDay, rememberMs }) {
      const reply = await run(
        judgeFactor,
        [
          keys.factor(userKey, 'failures'),
          keys.factor(userKey, 'last-step'),
          keys.factor(userKey, 'used-recovery-codes'),
          ...(challengeId === undefined ? [] : [keys.answered(userKey, challengeId)]),
        ],
        [
          nowMs,
          failuresPerDay,
          proof?.kind ?? '',
          proof === undefined ? '' : proof.kind === 'totp' ? proof.step : proof.hash,
          challengeMs,
          rememberMs,
        ],
      );
      return readFactorReply(reply);
    },

    async revokeToken({ userKey, tokenId, remainingMs }) {
      if (remainingMs <= 0) return;
      await news.spread(
        userKey,
        (announcement) => run(revokeToken, [keys.revoked(userKey, tokenId)], [remainingMs, ...announcement, tokenId]),
        () => ofIds([tokenId], remainingMs),
      );
    },

    async endAllSessions({ userKey, nowMs, revocationMs }) {
      return news.spread(
        userKey,
        (announcement) =>
          run(
            endAllSessions,
            [keys.sessions(userKey), keys.revokedUser(userKey), keys.revoked(userKey, '')],
            [nowMs, revocationMs, ...announcement],
          ) as Promise<string[]>,
        (ended) => [{ what: 'user', revokedAtMs: nowMs, lifeMs: revocationMs }, ...ofIds(ended, revocationMs)],
      );
    },

    async listSessions({ userKey, nowMs }) {
      const reply = (await run(listSessions, [keys.sessions(userKey)], [nowMs])) as string[];
      const sessions: SessionRecord[] = [];
      for (let position = 0; position < reply.length; position += 2) {
        sessions.push(fromStored(reply[position] as string, reply[position + 1] as string).session);
      }
      return sessions.sort((a, b) => b.startedAtMs - a.startedAtMs);
    },

    async isRevoked({ userKeys, tokenId, sessionId, issuedAtSeconds }) {
      const answers = await Promise.all(
        userKeys.map((userKey) =>
          client.mget(
            keys.revoked(userKey, tokenId),
            keys.revoked(userKey, sessionId ?? tokenId),
            keys.revokedUser(userKey),
          ),
        ),
      );
      return answers.some(
        ([token, session, user]) =>
          token !== null || session !== null || (user != null && issuedAtSeconds < Math.floor(Number(user) / 1000)),
      );
    },

    async takeLease({ name, holder, nowMs, forMs }) {
      return isOne(await run(takeLease, [keys.lease(name)], [nowMs, holder, forMs]));
    },

    async returnLease({ name, holder }) {
      await run(returnLease, [keys.lease(name)], [holder]);
    },

    async ping() {
      await client.ping();
    },

    async close() {},
  };
}

function ofIds(ids: readonly string[], lifeMs: number): Revocation[] {
  return ids.map((id) => ({ what: 'id', id, lifeMs }));
}

/** The record's JSON as `scripts/session.ts` describes it. */
interface StoredSession {
  refresh: string;
  previous?: string;
  rotated: number;
  started: number;
  used: number;
  expires: number;
  ends: number;
  amr: string;
  ip?: string;
  agent?: string;
}

function toStored(session: SessionRecord, refreshId: string, rotatedAtMs: number): string {
  return JSON.stringify({
    refresh: refreshId,
    rotated: rotatedAtMs,
    started: session.startedAtMs,
    used: session.lastUsedAtMs,
    expires: session.expiresAtMs,
    ends: session.endsAtMs,
    amr: session.amr.join(' '),
    ip: session.ip,
    agent: session.userAgent,
  });
}

function fromStored(id: string, json: string): { session: SessionRecord; rotatedAtMs: number } {
  const stored = JSON.parse(json) as StoredSession;
  return {
    rotatedAtMs: stored.rotated,
    session: {
      id,
      startedAtMs: stored.started,
      lastUsedAtMs: stored.used,
      expiresAtMs: stored.expires,
      endsAtMs: stored.ends,
      amr: stored.amr === '' ? [] : stored.amr.split(' '),
      ip: stored.ip,
      userAgent: stored.agent,
    },
  };
}

function readIssueReply(reply: unknown): IssueOutcome {
  const [outcome, limit, retryAfterMs] = reply as ['issued'] | ['limited', CodeLimit, number];
  return outcome === 'issued'
    ? { outcome }
    : { outcome, limit: limit as CodeLimit, retryAfterMs: Number(retryAfterMs) };
}

function readConsumeReply(reply: unknown): ConsumeOutcome {
  const [outcome, detail] = reply as [string, string | number | undefined];
  switch (outcome) {
    case 'accepted':
      return { outcome };
    case 'limited':
      return { outcome, retryAfterMs: Number(detail) };
    default:
      return { outcome: 'rejected', reason: detail as RejectionReason };
  }
}

function readInspectReply(reply: unknown): CodeStatus {
  const [sends, failures, codes, usedCodes] = reply as [string[], string[], string[], number];
  const status: CodeStatus = {
    sentAtMs: sends.map(Number),
    failedAtMs: failures.map(Number),
    codes: [],
    usedCodes: Number(usedCodes),
  };
  for (let first = 0; first < codes.length; first += 3) {
    const [expiry, attempts, withdrawn] = codes.slice(first, first + 3);
    status.codes.push({
      expiresAtMs: Number(expiry),
      wrongGuesses: Number(attempts),
      isWithdrawn: withdrawn === '1',
    });
  }
  return status;
}

function readFactorReply(reply: unknown): FactorOutcome {
  const [outcome, ...details] = reply as [FactorOutcome['outcome'], ...string[]];
  switch (outcome) {
    case 'accepted':
      return { outcome, usedHashes: details };
    case 'limited':
      return { outcome, retryAfterMs: Number(details[0]) };
    case 'rejected':
      return { outcome, reason: details[0] as 'wrong' | 'replayed' };
    case 'answered':
      return { outcome };
  }
}

function readOpenReply(reply: unknown): OpenOutcome {
  const [outcome, ...endedSessionIds] = reply as string[];
  return outcome === 'opened' ? { outcome, endedSessionIds } : { outcome: 'refused' };
}

function readRotateReply(sessionId: string, reply: unknown): RotateOutcome {
  const [outcome, refreshId, json] = reply as [RotateOutcome['outcome'], string, string];
  if (outcome === 'reused' || outcome === 'ended') return { outcome };
  return { outcome, refreshId, ...fromStored(sessionId, json) };
}
