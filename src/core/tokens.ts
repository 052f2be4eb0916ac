import { createHash, type KeyObject } from 'node:crypto';
import jsonwebtoken from 'jsonwebtoken';
import { OtpAuthError } from '../errors.js';
import type { Clock } from './ports.js';
import type { Era, Secrets } from './secrets.js';

/** Signing algorithms of access tokens (RFC 7518 §3.1). */
export type JwtAlgorithm =
  'HS256' | 'HS384' | 'HS512' | 'RS256' | 'RS384' | 'RS512' | 'PS256' | 'PS384' | 'PS512' | 'ES256' | 'ES384' | 'ES512';

/** What an access token says, checked for presence and type. */
export interface AccessClaims {
  sub: string;
  email?: string;
  phone_number?: string;
  roles: string[];
  sid: string;
  jti: string;
  iat: number;
  exp: number;
  auth_time: number;
  amr: string[];
  [claim: string]: unknown;
}

/** What a refresh token says. */
export interface RefreshClaims {
  sub: string;
  sid: string;
  jti: string;
  iat: number;
  exp: number;
}

/** Whether a token that is authentic but past its end is good. */
type Expiry = 'refuse-expired' | 'allow-expired';

/** What the token says that stands for a first factor, while the second is outstanding. */
export interface MfaClaims {
  sub: string;
  jti: string;
  iat: number;
  exp: number;
  /** When the first factor was judged, in milliseconds: what was revoked since then is not opened. */
  decided_ms: number;
  /** What the first factor was shown for. */
  email?: string;
  phone_number?: string;
}

export interface Tokens {
  signAccess(claims: Omit<AccessClaims, 'iat' | 'exp'>, times: { iat: number; exp: number }): string;
  /** @throws OtpAuthError `invalid_token` */
  verifyAccess(token: string): AccessClaims;
  /** Whether claims that were verified once are good at this time. */
  isCurrent(claims: Readonly<AccessClaims>): boolean;
  /** The claims of an authentic access token, expired or not: good to log out with. */
  authenticAccess(token: string): AccessClaims | undefined;
  signRefresh(claims: RefreshClaims): string;
  /** @throws OtpAuthError `invalid_refresh_token` */
  verifyRefresh(token: string): { claims: RefreshClaims; era: Era };
  /** The claims of an authentic refresh token, expired or not: good to log out with. */
  authenticRefresh(token: string): RefreshClaims | undefined;
  signMfa(claims: MfaClaims): string;
  /** @throws OtpAuthError `invalid_token` */
  verifyMfa(token: string): MfaClaims;
}

export interface TokenSettings {
  algorithm: JwtAlgorithm;
  signingKey?: KeyObject | undefined;
  verificationKeys: readonly KeyObject[];
  issuer?: string | undefined;
  audience?: string | undefined;
  accessTokenMinutes: number;
}

/** Claims that `claims(user)` cannot replace. */
export const RESERVED_CLAIMS: ReadonlySet<string> = new Set([
  'sub',
  'email',
  'phone_number',
  'roles',
  'sid',
  'jti',
  'iat',
  'exp',
  'nbf',
  'auth_time',
  'amr',
  'type',
  'iss',
  'aud',
  '__proto__',
  'constructor',
  'prototype',
]);

const DERIVED_KEY_ALGORITHM = 'HS256';
/** Characters: as many as all header fields of a request together, unless Node is told otherwise; what claims(user) adds may fill it. */
export const LONGEST_TOKEN = 16_384;
const CLOCK_LEEWAY_SECONDS = 5; // between the clocks of several servers
// RFC 7515 §4.1: each would have the verifier take keys or rules from the token itself.
const REFUSED_HEADERS = ['crit', 'jku', 'jwk', 'x5u', 'x5c', 'b64', 'zip'];

/**
 * Signs and verifies tokens.
 *
 * jsonwebtoken accepts an unknown `crit`, any `typ`, a missing or absurd `exp`, a future `iat`, arrays as payload
 * and objects as `sub`, so everything but the signature is checked here (RFC 8725, RFC 9068).
 */
export function createTokens(secrets: Secrets, settings: TokenSettings, clock: Clock): Tokens {
  const { algorithm } = settings;
  const access = settings.signingKey
    ? asymmetricKeys(settings.signingKey, settings.verificationKeys)
    : {
        kid: secrets.current.id,
        signingKey: secrets.current.accessToken,
        find: (kid: string) => secrets.find(kid)?.accessToken,
      };
  const longestAccessSeconds = settings.accessTokenMinutes * 60;
  const nowSeconds = () => Math.floor(clock.now() / 1000);

  const isUnexpired = ({ exp }: Pick<Times, 'exp'>) => exp > nowSeconds();
  const hasBegun = (seconds: number) => seconds <= nowSeconds() + CLOCK_LEEWAY_SECONDS;
  const isCurrent = ({ iat, nbf = iat, exp }: Times) => isUnexpired({ exp }) && hasBegun(Math.max(iat, nbf));

  const readAccess = (token: string, expiry: Expiry): AccessClaims | undefined => {
    const { header, payload } = verify(token, algorithm, access.find) ?? {};
    const isGood =
      header?.typ === 'at+jwt' &&
      payload?.['type'] === 'access' &&
      hasTimes(payload) &&
      (expiry === 'allow-expired' || isCurrent(payload)) &&
      // Revocations are remembered for the longest life that a token can have, so nothing may live longer.
      payload.exp - payload.iat <= longestAccessSeconds &&
      isText(payload['sub']) &&
      isText(payload['sid']) &&
      isText(payload['jti']) &&
      isNumericDate(payload['auth_time']) &&
      isTextList(payload['roles']) &&
      isTextList(payload['amr']) &&
      isAbsentOrText(payload['email']) &&
      isAbsentOrText(payload['phone_number']) &&
      (settings.issuer === undefined || payload['iss'] === settings.issuer) &&
      (settings.audience === undefined || payload['aud'] === settings.audience);
    return isGood ? (payload as AccessClaims) : undefined;
  };

  const readRefresh = (token: string, expiry: Expiry): { claims: RefreshClaims; era: Era } | undefined => {
    const { header, payload } = verify(token, DERIVED_KEY_ALGORITHM, (kid) => secrets.find(kid)?.refreshToken) ?? {};
    const era = secrets.find(header?.kid ?? '');
    const isGood =
      era !== undefined &&
      header?.typ === 'rt+jwt' &&
      payload?.['type'] === 'refresh' &&
      hasTimes(payload) &&
      // Not by its iat: the store knows the session, and a clock that was set back is to sign nobody out.
      (expiry === 'allow-expired' || (isUnexpired(payload) && hasBegun(payload.nbf ?? 0))) &&
      isText(payload['sub']) &&
      isText(payload['sid']) &&
      isText(payload['jti']);
    return isGood ? { claims: payload as unknown as RefreshClaims, era } : undefined;
  };

  return {
    signAccess(claims, { iat, exp }) {
      const payload = {
        ...claims,
        type: 'access',
        iat,
        exp,
        ...(settings.issuer === undefined ? {} : { iss: settings.issuer }),
        ...(settings.audience === undefined ? {} : { aud: settings.audience }),
      };
      return sign(payload, access.signingKey, { alg: algorithm, typ: 'at+jwt', kid: access.kid }); // RFC 9068 §2.1
    },

    verifyAccess(token) {
      const claims = readAccess(token, 'refuse-expired');
      if (claims === undefined) throw new OtpAuthError('invalid_token');
      return claims;
    },

    isCurrent: (claims) => hasTimes(claims) && isCurrent(claims),

    authenticAccess: (token) => readAccess(token, 'allow-expired'),

    signRefresh(claims) {
      const era = secrets.current;
      // The members' order is fixed, so that the same claims are the same token: see `refreshGraceSeconds`.
      const { sub, sid, jti, iat, exp } = claims;
      const payload = { sub, sid, jti, type: 'refresh', iat, exp };
      return sign(payload, era.refreshToken, { alg: DERIVED_KEY_ALGORITHM, typ: 'rt+jwt', kid: era.id });
    },

    verifyRefresh(token) {
      const read = readRefresh(token, 'refuse-expired');
      if (read === undefined) throw new OtpAuthError('invalid_refresh_token');
      return read;
    },

    authenticRefresh: (token) => readRefresh(token, 'allow-expired')?.claims,

    signMfa(claims) {
      const era = secrets.current;
      return sign({ ...claims, type: 'mfa' }, era.mfaToken, {
        alg: DERIVED_KEY_ALGORITHM,
        typ: 'mfa+jwt',
        kid: era.id,
      });
    },

    verifyMfa(token) {
      const { header, payload } = verify(token, DERIVED_KEY_ALGORITHM, (kid) => secrets.find(kid)?.mfaToken) ?? {};
      const isGood =
        header?.typ === 'mfa+jwt' &&
        payload?.['type'] === 'mfa' &&
        hasTimes(payload) &&
        isCurrent(payload) &&
        isText(payload['sub']) &&
        isText(payload['jti']) &&
        Number.isSafeInteger(payload['decided_ms']) &&
        isAbsentOrText(payload['email']) &&
        isAbsentOrText(payload['phone_number']);
      if (!isGood) throw new OtpAuthError('invalid_token');
      return payload as unknown as MfaClaims;
    },
  };
}

interface Header {
  alg: string;
  typ: string;
  kid: string;
}

function sign(payload: object, key: KeyObject, header: Header): string {
  const { alg } = header;
  return jsonwebtoken.sign(payload, key, { algorithm: alg as JwtAlgorithm, header });
}

/** Header and payload of a token whose signature is right, by the one algorithm and the key that its `kid` names. */
function verify(
  token: string,
  algorithm: JwtAlgorithm,
  findKey: (kid: string) => KeyObject | undefined,
): { header: Partial<Header>; payload: Record<string, unknown> } | undefined {
  if (typeof token !== 'string' || token.length > LONGEST_TOKEN || !/^[\w-]+\.[\w-]+\.[\w-]+$/.test(token))
    return undefined;
  try {
    const unproven = jsonwebtoken.decode(token, { complete: true })?.header;
    const key = typeof unproven?.kid === 'string' ? findKey(unproven.kid) : undefined;
    if (key === undefined || REFUSED_HEADERS.some((name) => name in (unproven as object))) return undefined;
    const { header, payload } = jsonwebtoken.verify(token, key, {
      algorithms: [algorithm],
      complete: true,
      ignoreExpiration: true, // judged by the caller, with the rest, by the clock that was given
      ignoreNotBefore: true,
    });
    if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) return undefined;
    return { header: header as Partial<Header>, payload: payload as Record<string, unknown> };
  } catch {
    return undefined;
  }
}

function asymmetricKeys(signingKey: KeyObject, verificationKeys: readonly KeyObject[]) {
  const byId = new Map(verificationKeys.map((key) => [thumbprint(key), key]));
  return {
    kid: thumbprint(verificationKeys[0] as KeyObject),
    signingKey,
    find: (kid: string) => byId.get(kid),
  };
}

/** RFC 7638: a public key's name, the same for everyone who computes it. */
export function thumbprint(publicKey: KeyObject): string {
  const { kty, crv, x, y, n, e } = publicKey.export({ format: 'jwk' });
  const members = kty === 'EC' ? { crv, kty, x, y } : { e, kty, n };
  return createHash('sha256').update(JSON.stringify(members)).digest('base64url');
}

/** RFC 7519 §4.1, in seconds. */
interface Times {
  iat: number;
  exp: number;
  nbf?: number;
}

function hasTimes<Claims extends Record<string, unknown>>(claims: Claims): claims is Claims & Times {
  const { iat, exp, nbf = iat } = claims;
  return isNumericDate(iat) && isNumericDate(exp) && isNumericDate(nbf) && exp > iat;
}

function isNumericDate(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) < 1e11;
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isAbsentOrText(value: unknown): boolean {
  return value === undefined || isText(value);
}

function isTextList(value: unknown): boolean {
  return Array.isArray(value) && value.every(isText);
}
