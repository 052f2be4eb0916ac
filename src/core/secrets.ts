import { createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';

/** The keys that one listed secret gives: one for each purpose, so that nothing made for one is good for another. */
export interface Era {
  /** `kid` of what this secret signs. Derived, and tells nothing about the secret. */
  readonly id: string;
  /** The secret itself: signs access tokens, so that other services can verify them with `JWT_SECRET`. */
  readonly accessToken: KeyObject;
  readonly refreshToken: KeyObject;
  readonly mfaToken: KeyObject;
  readonly deviceCookie: KeyObject;
  readonly totpSecret: KeyObject;
  /** Encrypts what a browser carries for us while it signs in. */
  readonly signIn: KeyObject;
  readonly code: KeyObject;
  /** Turns user ids and identifiers into the keys of the store. */
  readonly lookup: KeyObject;
}

/**
 * The listed secrets' keys. The first secret signs, all verify.
 *
 * What a token names lives under the secret that signed it: sessions move to the newest secret when they are
 * refreshed, and revocations are written and looked for under all. Codes and limits live under the oldest, so that
 * putting a new secret in front changes nothing for them.
 */
export interface Secrets {
  readonly current: Era;
  readonly oldest: Era;
  readonly all: readonly Era[];
  find(id: string): Era | undefined;
}

export function deriveSecrets(secrets: readonly [string, ...string[]]): Secrets {
  // Listed twice is listed once: each era is asked for by itself, and counted.
  const all = [...new Set(secrets)].map(deriveEra) as [Era, ...Era[]];
  const byId = new Map(all.map((era) => [era.id, era]));
  return { current: all[0], oldest: all.at(-1) as Era, all, find: (id) => byId.get(id) };
}

/** The user's key in the store, under one secret. */
export function userKeyFor(era: Era, userId: string): string {
  return lookupKey(era, 'user', userId);
}

/** The identifier's key in the store. */
export function identifierKeyFor(secrets: Secrets, identifier: { kind: string; value: string }): string {
  return identifierKeyUnder(secrets.oldest, identifier);
}

/** The key that the identifier has, or will have when the secrets before this one are gone. */
export function identifierKeyUnder(era: Era, { kind, value }: { kind: string; value: string }): string {
  return lookupKey(era, 'identifier', `${kind}\0${value}`);
}

/** The key of an address of the network in the store. */
export function networkKeyFor(secrets: Secrets, network: string): string {
  return lookupKey(secrets.oldest, 'network', network);
}

function lookupKey(era: Era, purpose: string, value: string): string {
  // 132 bits: no two users of any system share a key, and half the memory of the whole digest.
  return createHmac('sha256', era.lookup).update(`${purpose}\0${value}`).digest('base64url').slice(0, 22);
}

function deriveEra(secret: string): Era {
  const derive = (purpose: string) => Buffer.from(hkdfSync('sha256', secret, '', `express-otp-auth/${purpose}`, 32)); // RFC 5869
  const key = (purpose: string) => createSecretKey(derive(purpose));
  return {
    id: derive('key-id').toString('base64url').slice(0, 11),
    accessToken: createSecretKey(Buffer.from(secret, 'utf8')),
    refreshToken: key('refresh-token'),
    mfaToken: key('mfa-token'),
    deviceCookie: key('device-cookie'),
    totpSecret: key('totp-secret'),
    signIn: key('sign-in'),
    code: key('code'),
    lookup: key('lookup'),
  };
}
