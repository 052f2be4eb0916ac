/**
 * What the domain needs from the outside: a store, a way to deliver messages, the time and a log.
 *
 * A store's operations speak the domain and are atomic each, so that no caller can read, decide and write:
 * that is the race behind most published bypasses of one-time codes. All times are milliseconds since the
 * epoch by the caller's clock; a store never asks a clock of its own what is expired.
 */

/** What a code may be used for. A code works for the purpose it was made for and for nothing else. */
export type CodePurpose = 'sign-in' | 'change-identifier';

/** A browser or application that signed in before; it has send and failure counts of its own. */
export interface ReturningDevice {
  /** Random name of the device's lane. */
  lane: string;
  /** When the device cookie was signed; one signed before the devices were revoked counts as a stranger. */
  issuedAtMs: number;
}

/** Names one identifier's codes and counts. */
export interface CodeAddress {
  /** Keyed hash of the canonical identifier: no store ever sees the address itself. */
  identifierKey: string;
  purpose: CodePurpose;
  device?: ReturningDevice | undefined;
}

/** The limits that the store judges in the same atomic step as the operation itself. */
export interface CodeRules {
  expiryMs: number;
  /** How many of the newest codes work. */
  liveCodes: number;
  /** Wrong guesses that a code survives. */
  maxAttempts: number;
  resendCooldownMs: number;
  sendsPerHour: number;
  sendsPerDay: number;
  /** Refused verifications per lane in any 24 hours, over all codes and purposes. */
  failuresPerDay: number;
}

export type CodeLimit = 'resend_cooldown' | 'sends_per_hour' | 'sends_per_day' | 'failures_per_day';

export interface IssueCode extends CodeAddress {
  /** Random name of this code; the same name again is the same request repeated, and is not counted twice. */
  codeId: string;
  codeHash: string;
  nowMs: number;
  rules: CodeRules;
}

export type IssueOutcome = { outcome: 'issued' } | { outcome: 'limited'; limit: CodeLimit; retryAfterMs: number };

export interface WithdrawCode extends CodeAddress {
  codeId: string;
  /** The `nowMs` that the code was issued with. */
  issuedAtMs: number;
  /**
   * What becomes of the counts. `'kept'`: everything goes on as if the code had been sent, the cool-down too, and guesses
   * are compared and counted; only that none of them is right. @default 'taken_back'
   */
  counts?: 'taken_back' | 'kept' | undefined;
}

export interface ConsumeCode extends CodeAddress {
  /** The guess, hashed under every secret that is listed. */
  codeHashes: readonly string[];
  nowMs: number;
  rules: CodeRules;
}

/** Why a guess was refused: for operators alone, callers get one answer for all. */
export type RejectionReason =
  /** Compared with the live codes, and none of them. */
  | 'wrong'
  /** No code is pending: never asked for, expired or replaced. */
  | 'absent'
  /** The code has had `maxAttempts` wrong guesses, and was not compared. */
  | 'attempts_used_up'
  /** The right code again, after it was used: not compared with any other, and not counted as a failure. */
  | 'replayed';

export type ConsumeOutcome =
  | { outcome: 'accepted' }
  | { outcome: 'rejected'; reason: RejectionReason }
  | { outcome: 'limited'; retryAfterMs: number };

/** What the people who help others sign in may know; it is read, and nothing changes. */
export interface InspectCodes extends CodeAddress {
  nowMs: number;
}

/** Of one lane: the device's own where one is given, else the one that strangers share. */
export interface CodeStatus {
  /** When messages were sent in the last 24 hours, newest first, for all purposes together. */
  sentAtMs: number[];
  /** When guesses failed, likewise; one that was compared with two codes is there twice. */
  failedAtMs: number[];
  /** Codes that have not expired, newest first, also where no more guesses at them are compared. */
  codes: {
    expiresAtMs: number;
    wrongGuesses: number;
    /** No guess is right: the message was not sent. */
    isWithdrawn: boolean;
  }[];
  /** How many codes were right, and would not have expired yet. */
  usedCodes: number;
}

/** A session as the store keeps it. */
export interface SessionRecord {
  id: string;
  startedAtMs: number;
  lastUsedAtMs: number;
  /** The end if it is not refreshed before: idle life, never later than `endsAtMs`. */
  expiresAtMs: number;
  /** The absolute end. */
  endsAtMs: number;
  /** Authentication methods of the sign-in, RFC 8176 values. */
  amr: readonly string[];
  ip?: string | undefined;
  userAgent?: string | undefined;
}

export interface OpenSession {
  /** Keyed hash of the user id. */
  userKey: string;
  session: SessionRecord;
  refreshId: string;
  /** When it was judged that the user may sign in: what was revoked since then is not opened. */
  decidedAtMs: number;
  nowMs: number;
  /** More sessions than this and the oldest end. */
  maxSessions: number;
  /** How long a revocation of an access token must be remembered: the longest life of one. */
  revocationMs: number;
}

export type OpenOutcome =
  | { outcome: 'opened'; endedSessionIds: string[] }
  /** All of the user's sessions were revoked since it was decided on (or, of one that moved, since it started), or this one was ended. */
  | { outcome: 'refused' };

export interface RotateSession {
  userKey: string;
  sessionId: string;
  /** The id in the refresh token that was presented. */
  presentedId: string;
  /** The successor's id, if this call is the one that rotates. */
  nextId: string;
  nowMs: number;
  graceMs: number;
  idleMs: number;
  revocationMs: number;
  /** `true`: the session goes on under another user key, and only repeats within the grace time are answered here. */
  moving: boolean;
}

export type RotateOutcome =
  /** `rotatedAtMs` and `refreshId` belong to the successor: both answers describe the same refresh token. */
  | { outcome: 'rotated' | 'repeated'; refreshId: string; rotatedAtMs: number; session: SessionRecord }
  /** A replaced token came back: the session has been ended. */
  | { outcome: 'reused' }
  | { outcome: 'ended' };

export interface AdoptSession {
  userKey: string;
  session: SessionRecord;
  refreshId: string;
  rotatedAtMs: number;
  nowMs: number;
}

export interface EndSession {
  userKey: string;
  sessionId: string;
  revocationMs: number;
  /** An access token to revoke in the same step, with what is left of its life. */
  token?: { id: string; remainingMs: number } | undefined;
}

export interface RevocationQuery {
  /** The user's key under every secret that is listed. */
  userKeys: readonly string[];
  tokenId: string;
  /** Absent where the token is of no session: of a sign-in that waits for its second factor. */
  sessionId?: string | undefined;
  /** `iat`, in seconds as the token has it. */
  issuedAtSeconds: number;
}

/** What bounds paid messages, and stops sending where codes are not typed in. */
export interface SmsRules {
  /** Messages of the whole system in any hour. */
  smsPerHour: number;
  /** What the conversion is judged over. */
  windowMs: number;
  /** Fewer messages to a group within the window are not judged. */
  leastSends: number;
  /** The share of a group's codes that must be typed in, 0 to 1. */
  leastShare: number;
  pauseMs: number;
}

export interface CountSms {
  /** Random name of this message. */
  messageId: string;
  /** Country and first digits. */
  group: string;
  nowMs: number;
  rules: SmsRules;
}

export type SmsOutcome =
  | { outcome: 'counted' }
  /** The whole system's limit. */
  | { outcome: 'limited'; retryAfterMs: number }
  /** Too few of the group's codes are typed in; `paused_now` for the message that found it out. */
  | { outcome: 'paused' | 'paused_now'; retryAfterMs: number };

/** What matched: a time step of the authenticator app, or a recovery code by its hash. */
export type FactorProof = { kind: 'totp'; step: number } | { kind: 'recovery_code'; hash: string };

export interface JudgeFactorRequest {
  userKey: string;
  /** Absent where nothing matched: a failure to be counted. */
  proof?: FactorProof | undefined;
  /** Good for one success. */
  challengeId?: string | undefined;
  /** How long a challenge can be answered, in milliseconds. */
  challengeMs: number;
  nowMs: number;
  /** Wrong codes of the user in any 24 hours, of all kinds together. One that was right and comes again is no guess. */
  failuresPerDay: number;
  /** How long used recovery codes are remembered. */
  rememberMs: number;
}

export type FactorOutcome =
  /** With every recovery code that was used, this one too. */
  | { outcome: 'accepted'; usedHashes: string[] }
  | { outcome: 'rejected'; reason: 'wrong' | 'replayed' }
  /** It would have been good, but the challenge was met before: nothing was used up. */
  | { outcome: 'answered' }
  | { outcome: 'limited'; retryAfterMs: number };

/** Codes, sessions and revocations: a handful of atomic operations. `describeStore` in `/testing` checks an implementation. */
export interface Store {
  /** Judges cool-down and limits, and puts the code in place, in one step. */
  issueCode(request: IssueCode): Promise<IssueOutcome>;
  /** Takes back a code whose message was not sent, and what its sending counted. */
  withdrawCode(request: WithdrawCode): Promise<void>;
  /** Judges the limits, compares, counts and uses up, in one step. */
  consumeCode(request: ConsumeCode): Promise<ConsumeOutcome>;
  /** Tells what is known of codes and counts, and neither codes nor their hashes. */
  inspectCodes(request: InspectCodes): Promise<CodeStatus>;
  /** Device cookies signed until now no longer have a lane of their own. `forgetAfterMs`: the life of a device cookie. */
  revokeDevices(request: { identifierKey: string; nowMs: number; forgetAfterMs: number }): Promise<void>;

  /** Judges the limits on paid messages and counts one, in one step. */
  countSms(request: CountSms): Promise<SmsOutcome>;
  /** Takes back the counting of a message that was not sent. `countedAtMs`: the `nowMs` that it was counted with. */
  withdrawSms(request: { messageId: string; group: string; countedAtMs: number }): Promise<void>;
  /** Counts a code that was typed in. */
  confirmSms(request: { messageId: string; group: string; nowMs: number; windowMs: number }): Promise<void>;

  openSession(request: OpenSession): Promise<OpenOutcome>;
  /** Replaces the refresh token, repeats the successor within the grace time, or ends the session on reuse, in one step. */
  rotateSession(request: RotateSession): Promise<RotateOutcome>;
  /** Puts a session that moved from another user key in place; doing so again changes nothing. */
  adoptSession(request: AdoptSession): Promise<OpenOutcome>;
  /** Ends the session and revokes its access tokens. `false`: there was no such session. */
  endSession(request: EndSession): Promise<boolean>;
  /** Notes that a session's user has shown another factor; `false` where there is no such session. */
  raiseSession(request: {
    userKey: string;
    sessionId: string;
    amr: readonly string[];
    nowMs: number;
  }): Promise<boolean>;
  /** Judges a second factor's failure limit, and uses a proof up or counts a failure, in one step. */
  judgeFactor(request: JudgeFactorRequest): Promise<FactorOutcome>;
  /** Revokes one access token, for what is left of its life; its session goes on. */
  revokeToken(request: { userKey: string; tokenId: string; remainingMs: number }): Promise<void>;
  /** Ends all sessions, revokes their access tokens and everything issued until now; returns the ended sessions' ids. */
  endAllSessions(request: { userKey: string; nowMs: number; revocationMs: number }): Promise<string[]>;
  /** Live sessions, newest first. */
  listSessions(request: { userKey: string; nowMs: number }): Promise<SessionRecord[]>;

  /** At once, where the store can say so without asking anyone. */
  isRevoked(query: RevocationQuery): boolean | Promise<boolean>;

  /** Gives one holder at a time the right to do what takes more than one step. `false`: another has it, until it is given back or ends. */
  takeLease(request: { name: string; holder: string; nowMs: number; forMs: number }): Promise<boolean>;
  /** Gives a lease back, unless another holder has it by now. */
  returnLease(request: { name: string; holder: string }): Promise<void>;

  /** Resolves when the store answers. */
  ping(): Promise<void>;
  /** Ends what the store itself opened. */
  close(): Promise<void>;
}

/** One message to one recipient. */
export interface Message {
  to: string;
  code: string;
  expiresInMinutes: number;
  locale: string;
  purpose: CodePurpose;
  /** Opens a page that signs in, in the browser that asked for the code. */
  link?: string | undefined;
}

/** What happened to an account that its holder should hear about. */
export type NoticeKind =
  'identifier_changed' | 'totp_enabled' | 'totp_disabled' | 'recovery_code_used' | 'recovery_codes_renewed';

/** One notice to one recipient. */
export interface Notice {
  to: string;
  kind: NoticeKind;
  locale: string;
}

/** A way to hand a message over. Rejects where it was not taken. */
export interface Channel {
  send(message: Message): Promise<void>;
  /** Tells of a change to an account; a channel without it tells nobody. */
  notify?(notice: Notice): Promise<void>;
  close(): Promise<void>;
}

/** Milliseconds since the epoch. */
export interface Clock {
  now(): number;
}

/** Where warnings go; the console and pino both fit. */
export interface Logger {
  debug(...details: unknown[]): void;
  info(...details: unknown[]): void;
  warn(...details: unknown[]): void;
  error(...details: unknown[]): void;
}
