import type {
  CodeAddress,
  CodeLimit,
  CodePurpose,
  CodeRules,
  CodeStatus,
  ConsumeCode,
  ConsumeOutcome,
  InspectCodes,
  IssueCode,
  IssueOutcome,
  Store,
  WithdrawCode,
} from '../../core/ports.js';
import { expiringMap } from './expiring-map.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Lanes are kept this much longer than they count, because what is past counts again when a clock is set back. */
const CLOCK_SET_BACK_MS = HOUR_MS;

interface Code {
  id: string;
  hash: string;
  expiresAtMs: number;
  /** Wrong guesses it was compared with. */
  attempts: number;
}

interface SpentCode {
  hash: string;
  expiresAtMs: number;
}

/** The codes of one lane for one purpose. */
interface CodeRecord {
  /** Newest first. */
  codes: Code[];
  spent: SpentCode[];
}

/** What strangers, or one returning device, did with one identifier. */
interface Lane {
  /** When messages were sent, latest first. */
  sendsMs: number[];
  /** When guesses failed, latest first; a guess that was compared with two codes is there twice. */
  failuresMs: number[];
  records: Map<CodePurpose, CodeRecord>;
}

/** The codes of one process, with the counts that limit them. */
export interface CodeLanes {
  issue(request: IssueCode): IssueOutcome;
  withdraw(request: WithdrawCode): void;
  consume(request: ConsumeCode): ConsumeOutcome;
  inspect(request: InspectCodes): CodeStatus;
  revokeDevices(request: Parameters<Store['revokeDevices']>[0]): void;
}

/** Makes the lanes, all empty. */
export function codeLanes(): CodeLanes {
  const lanes = expiringMap<Lane>();
  const devicesRevokedAtMs = expiringMap<number>();

  /** The device's own lane while its cookie counts, else the one that all strangers share. */
  function laneOf({ identifierKey, device }: CodeAddress, nowMs: number): string {
    if (device === undefined) return sharedLane(identifierKey);
    const revokedAtMs = devicesRevokedAtMs.get(identifierKey, nowMs);
    const revoked = revokedAtMs !== undefined && device.issuedAtMs <= revokedAtMs;
    return revoked ? sharedLane(identifierKey) : deviceLane(identifierKey, device.lane);
  }

  /** Keeps the lane for as long as anything in it matters. */
  function keep(key: string, lane: Lane, nowMs: number, rules: CodeRules): void {
    lanes.set(key, lane, nowMs + Math.max(DAY_MS, rules.expiryMs) + CLOCK_SET_BACK_MS, nowMs);
  }

  return {
    issue(request) {
      const { purpose, codeId, codeHash, nowMs, rules } = request;
      const key = laneOf(request, nowMs);
      const lane = lanes.get(key, nowMs) ?? emptyLane();
      const { codes, spent } = recordOf(lane, purpose);
      const live = codes.filter((code) => isLive(code, nowMs, rules));
      if (live.some((code) => code.id === codeId)) return { outcome: 'issued' };
      endFuture(lane.failuresMs, nowMs);
      endFuture(lane.sendsMs, nowMs);
      const limited = judgeSend(lane, nowMs, rules);
      if (limited !== undefined) return limited;

      lane.sendsMs = [nowMs, ...lane.sendsMs].slice(0, Math.max(rules.sendsPerHour, rules.sendsPerDay));
      const code: Code = { id: codeId, hash: codeHash, expiresAtMs: nowMs + rules.expiryMs, attempts: 0 };
      lane.records.set(purpose, { codes: [code, ...live].slice(0, rules.liveCodes), spent });
      keep(key, lane, nowMs, rules);
      return { outcome: 'issued' };
    },

    withdraw({ identifierKey, purpose, device, codeId, issuedAtMs, counts = 'taken_back' }) {
      // The device may have been revoked since: the code is where it was put, not where one would be put now.
      const keys = [sharedLane(identifierKey)];
      if (device !== undefined) keys.push(deviceLane(identifierKey, device.lane));
      for (const key of keys) {
        const lane = lanes.get(key, issuedAtMs);
        const record = lane?.records.get(purpose);
        const place = record?.codes.findIndex((code) => code.id === codeId) ?? -1;
        if (lane === undefined || record === undefined || place < 0) continue;
        if (counts === 'kept') {
          (record.codes[place] as Code).hash = '';
          return;
        }
        record.codes.splice(place, 1);
        const send = lane.sendsMs.indexOf(issuedAtMs);
        if (send >= 0) lane.sendsMs.splice(send, 1);
        return;
      }
    },

    consume(request) {
      const { identifierKey, purpose, codeHashes, nowMs, rules } = request;
      const key = laneOf(request, nowMs);
      const lane = lanes.get(key, nowMs) ?? emptyLane();
      endFuture(lane.failuresMs, nowMs);
      const retryAfterMs = waitMs(lane.failuresMs, rules.failuresPerDay, DAY_MS, nowMs);
      if (retryAfterMs > 0) return { outcome: 'limited', retryAfterMs };

      const allowance = rules.failuresPerDay - within(DAY_MS, lane.failuresMs, nowMs).length;
      const shared = lanes.get(sharedLane(identifierKey), nowMs);
      const searched = (shared === undefined || shared === lane ? [lane] : [lane, shared]).map((searchedLane) =>
        recordOf(searchedLane, purpose),
      );
      const compared: Code[] = [];
      for (const record of searched) {
        for (const code of record.codes) {
          if (!isLive(code, nowMs, rules)) continue;
          if (compared.length >= allowance) break;
          if (codeHashes.includes(code.hash)) {
            for (const { codes } of searched) codes.length = 0;
            record.spent = [{ hash: code.hash, expiresAtMs: code.expiresAtMs }, ...unexpired(record.spent, nowMs)];
            return { outcome: 'accepted' };
          }
          compared.push(code);
        }
      }
      // A used code that comes again (a form sent twice) is no guess, unless it was issued anew (a reviewer's is always the same).
      if (searched.some(({ spent }) => unexpired(spent, nowMs).some(({ hash }) => codeHashes.includes(hash)))) {
        return { outcome: 'rejected', reason: 'replayed' };
      }
      const foundUsedUp = searched.some(({ codes }) => unexpired(codes, nowMs).length > 0);
      for (const code of compared) code.attempts += 1;
      // A guess costs as many failures as it had chances, so that the odds do not depend on how many codes live.
      const failures = Array.from({ length: Math.max(1, compared.length) }, () => nowMs);
      lane.failuresMs = [...failures, ...lane.failuresMs].slice(0, rules.failuresPerDay);
      keep(key, lane, nowMs, rules);
      if (compared.length > 0) return { outcome: 'rejected', reason: 'wrong' };
      return { outcome: 'rejected', reason: foundUsedUp ? 'attempts_used_up' : 'absent' };
    },

    inspect(request) {
      const { purpose, nowMs } = request;
      const lane = lanes.get(laneOf(request, nowMs), nowMs) ?? emptyLane();
      const { codes, spent } = lane.records.get(purpose) ?? { codes: [], spent: [] };
      return {
        sentAtMs: within(DAY_MS, lane.sendsMs, nowMs),
        failedAtMs: within(DAY_MS, lane.failuresMs, nowMs),
        codes: unexpired(codes, nowMs).map(({ hash, expiresAtMs, attempts }) => ({
          expiresAtMs,
          wrongGuesses: attempts,
          isWithdrawn: hash === '',
        })),
        usedCodes: unexpired(spent, nowMs).length,
      };
    },

    revokeDevices({ identifierKey, nowMs, forgetAfterMs }) {
      const known = devicesRevokedAtMs.get(identifierKey, nowMs) ?? nowMs;
      devicesRevokedAtMs.set(identifierKey, Math.max(known, nowMs), nowMs + forgetAfterMs, nowMs);
    },
  };
}

/** The first limit that stands against another message, in the order in which callers are told of them. */
function judgeSend(lane: Lane, nowMs: number, rules: CodeRules): IssueOutcome | undefined {
  const limits: [limit: CodeLimit, entriesMs: number[], allowed: number, windowMs: number][] = [
    ['failures_per_day', lane.failuresMs, rules.failuresPerDay, DAY_MS],
    ['resend_cooldown', lane.sendsMs, 1, rules.resendCooldownMs],
    ['sends_per_hour', lane.sendsMs, rules.sendsPerHour, HOUR_MS],
    ['sends_per_day', lane.sendsMs, rules.sendsPerDay, DAY_MS],
  ];
  for (const [limit, entriesMs, allowed, windowMs] of limits) {
    const retryAfterMs = waitMs(entriesMs, allowed, windowMs, nowMs);
    if (retryAfterMs > 0) return { outcome: 'limited', limit, retryAfterMs };
  }
  return undefined;
}

/** How long until fewer than `allowed` entries are in the moving window that ends now; 0 if that is so already. */
function waitMs(entriesMs: number[], allowed: number, windowMs: number, nowMs: number): number {
  const latest = entriesMs.slice(0, allowed);
  if (windowMs === 0 || within(windowMs, latest, nowMs).length < allowed) return 0;
  return (latest.at(-1) ?? nowMs) + windowMs - nowMs;
}

/** When the clock was set back, times in the future become this moment's: nothing is forgotten, and nobody waits longer than the window. */
function endFuture(entriesMs: number[], nowMs: number): void {
  for (const [place, entryMs] of entriesMs.entries()) entriesMs[place] = Math.min(entryMs, nowMs);
}

const within = (windowMs: number, entriesMs: number[], nowMs: number) =>
  entriesMs.filter((entryMs) => nowMs - entryMs < windowMs);

const unexpired = <Entry extends SpentCode>(entries: readonly Entry[], nowMs: number) =>
  entries.filter(({ expiresAtMs }) => expiresAtMs > nowMs);

const isLive = (code: Code, nowMs: number, rules: CodeRules) =>
  code.expiresAtMs > nowMs && code.attempts < rules.maxAttempts;

function recordOf(lane: Lane, purpose: CodePurpose): CodeRecord {
  const record = lane.records.get(purpose) ?? { codes: [], spent: [] };
  lane.records.set(purpose, record);
  return record;
}

const emptyLane = (): Lane => ({ sendsMs: [], failuresMs: [], records: new Map() });

// Identifier keys are hashes: no space is ever in one.
const sharedLane = (identifierKey: string) => identifierKey;
const deviceLane = (identifierKey: string, lane: string) => `${identifierKey} ${lane}`;
