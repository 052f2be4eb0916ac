import type { CodeAddress } from '../../core/ports.js';

/** Prefixes of every key that the package writes. */
export interface KeyPrefixes {
  /** @default 'otp_' */
  otp: string;
  /** @default 'limit_' */
  limit: string;
  /** @default 'session_' */
  session: string;
  /** @default 'blacklist_' */
  blacklist: string;
  /** @default 'user_' */
  user: string;
}

export const DEFAULT_PREFIXES: KeyPrefixes = {
  otp: 'otp_',
  limit: 'limit_',
  session: 'session_',
  blacklist: 'blacklist_',
  user: 'user_',
};

/** Names every key. The braces are Redis Cluster's hash tag: all keys of one identifier, and all of one user, share a slot. */
export function keysFor(prefixes: KeyPrefixes) {
  const lane = (identifierKey: string, name: string) => `${prefixes.limit}{${identifierKey}}:${name}`;
  return {
    codes: ({ identifierKey, purpose }: CodeAddress, deviceLane?: string) =>
      `${prefixes.otp}{${identifierKey}}:${purpose}${deviceLane === undefined ? '' : `:${deviceLane}`}`,
    sends: (identifierKey: string, deviceLane?: string) =>
      lane(identifierKey, deviceLane === undefined ? 'sends' : `sends:${deviceLane}`),
    failures: (identifierKey: string, deviceLane?: string) =>
      lane(identifierKey, deviceLane === undefined ? 'failures' : `failures:${deviceLane}`),
    devicesRevoked: (identifierKey: string) => lane(identifierKey, 'devices-revoked'),
    /** What the keys of one limit per address of the network begin with. */
    ipHits: (limit: string) => `${prefixes.limit}ip:${limit}:`,

    /** Messages of the whole system and their conversion by group, in one slot. */
    smsSent: `${prefixes.limit}{sms}:sent`,
    smsOf: (group: string, what: 'sent' | 'confirmed' | 'pause') => `${prefixes.limit}{sms}:${what}:${group}`,

    /** A hash: session id → record. */
    sessions: (userKey: string) => `${prefixes.session}{${userKey}}`,
    /** What a user's second factors have used, and how often they failed. */
    factor: (userKey: string, what: 'failures' | 'last-step' | 'used-recovery-codes') =>
      `${prefixes.limit}{${userKey}}:factor:${what}`,
    /** A challenge that was answered. */
    answered: (userKey: string, challengeId: string) => `${prefixes.limit}{${userKey}}:answered:${challengeId}`,

    /** A revoked access token (by `jti`) or session (by `sid`): both are random, so one name space serves. */
    revoked: (userKey: string, id: string) => `${prefixes.blacklist}{${userKey}}:${id}`,
    /** When all that the user held was revoked, in milliseconds. */
    revokedUser: (userKey: string) => `${prefixes.blacklist}{${userKey}}`,

    /** The processes that are told of revocations. */
    registry: `${prefixes.blacklist}{registry}:members`,
    /** No key: where revocations are published. */
    feedChannel: (feed: string) => `${prefixes.blacklist}feed:${feed}`,

    lease: (name: string) => `${prefixes.user}lease:{${name}}`,
    /** Accounts, in the order that the scripts on users have them in; all in one slot. */
    users: [
      `${prefixes.user}{users}`,
      `${prefixes.user}{users}:identifiers`,
      `${prefixes.user}{users}:created`,
      `${prefixes.user}{users}:role:`,
    ],
  };
}

export type Keys = ReturnType<typeof keysFor>;
