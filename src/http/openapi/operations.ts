import type { z } from 'zod';
import type { OtpAuthErrorCode } from '../../errors.js';
import { OAUTH_FORMS } from '../oauth.js';
import type { Schemas } from '../schemas.js';
import { totpBodies } from '../totp.js';
import type { UserSchemas } from '../user-schemas.js';
import type { AnswerName } from './answers.js';

/** What a client shows to be let in. `refresh`: its token in the cookie or in the body; `any`: that or an access token. */
export type Credentials = 'none' | 'access' | 'refresh' | 'any';

/** What there is to say about one route. */
export interface Operation {
  id: string;
  summary: string;
  description?: string;
  tag: 'Signing in' | 'Sessions' | 'OAuth 2.0' | 'Accounts' | 'Second factor' | 'Documents';
  /** @default 'none' */
  credentials?: Credentials;
  body?: Body;
  query?: z.ZodObject;
  /** Absent: 204 and no body. */
  answer?: AnswerName | 'page';
  /** @default 200, or 204 without an answer */
  status?: number;
  setsCookie?: true;
  /** Answers carry the fields of a limit per address of the network. */
  limitedByAddress?: true;
  errors: readonly OtpAuthErrorCode[];
  /** Errors in the form of RFC 6749 §5.2, with the statuses that they have. */
  oauthErrors?: readonly number[];
}

export interface Body {
  /** The name of its schema in the document; several of a form are alternatives. */
  schemas: Readonly<Record<string, z.ZodType>>;
  /** Has `email` or `phone_number`, exactly one of them. */
  names?: 'identifier';
  isForm?: true;
  isOptional?: true;
}

export interface OperationsDeps {
  schemas: Schemas;
  userSchemas: UserSchemas;
  /** Whether access tokens of a sign-in without a second factor are refused. */
  secondFactor: 'optional' | 'required';
  /** Whether asking for a code begins a sign-in that a page can go on with. */
  hasPages: boolean;
  cookie: { accessToken: boolean };
}

/** Every operation there can be, by method and path; the document has those that the router has. */
export function operations({
  schemas,
  userSchemas,
  secondFactor,
  hasPages,
  cookie,
}: OperationsDeps): Readonly<Record<string, Operation>> {
  const body = (name: string, schema: z.ZodType, more: Omit<Body, 'schemas'> = {}): Body => ({
    schemas: { [name]: schema },
    ...more,
  });
  const bearer = ['token_missing', 'invalid_token', 'store_unavailable'] as const;
  const enrolling = cookie.accessToken ? ([...bearer, 'cross_site_request'] as const) : bearer;
  const guarded = secondFactor === 'required' ? ([...enrolling, 'mfa_required'] as const) : ([...enrolling] as const);
  const recent = [...guarded, 'reauthentication_required'] as const;
  const admin = [...guarded, 'insufficient_scope'] as const;
  const read = ['invalid_request', 'payload_too_large', 'unsupported_media_type'] as const;
  const user = { tag: 'Accounts', credentials: 'access' } as const;
  const factor = { tag: 'Second factor', credentials: 'access' } as const;

  return {
    'post /request-otp': {
      id: 'requestOtp',
      summary: 'Send a code',
      description: 'The answer is the same for every address, whether anybody has it or not.',
      tag: 'Signing in',
      body: body('RequestOtp', schemas.requestOtp, { names: 'identifier' }),
      answer: 'CodeSent',
      ...(hasPages ? { setsCookie: true } : {}),
      limitedByAddress: true,
      errors: [...read, 'rate_limited', 'delivery_failed', 'store_unavailable'],
    },
    'post /verify-otp': {
      id: 'verifyOtp',
      summary: 'Sign in with a code',
      description: 'The refresh token comes as a cookie, or, with `token_transport: "body"`, in the body.',
      tag: 'Signing in',
      body: body('VerifyOtp', schemas.verifyOtp, { names: 'identifier' }),
      answer: 'SignedIn',
      setsCookie: true,
      limitedByAddress: true,
      errors: [...read, 'invalid_otp', 'mfa_required', 'cross_site_request', 'rate_limited', 'store_unavailable'],
    },
    'post /refresh': {
      id: 'refresh',
      summary: 'Get a new access token',
      description: 'The refresh token is replaced, and the new one comes the way that the old one came.',
      tag: 'Sessions',
      credentials: 'refresh',
      body: body('RefreshToken', schemas.refreshToken, { isOptional: true }),
      answer: 'Refreshed',
      setsCookie: true,
      errors: [...read, 'token_missing', 'invalid_refresh_token', 'cross_site_request', 'store_unavailable'],
    },
    'post /logout': {
      id: 'logout',
      summary: 'End this session',
      description: 'Its access token is revoked at once. Logging out again is no error.',
      tag: 'Sessions',
      credentials: 'any',
      body: body('RefreshToken', schemas.refreshToken, { isOptional: true }),
      answer: 'Message',
      setsCookie: true,
      errors: [...read, 'token_missing', 'invalid_token', 'cross_site_request', 'store_unavailable'],
    },
    'post /logout-all': {
      id: 'logoutAll',
      summary: 'End all sessions of the user',
      tag: 'Sessions',
      credentials: 'access',
      answer: 'LoggedOutEverywhere',
      setsCookie: true,
      errors: [...read, ...guarded],
    },
    'get /sessions': {
      id: 'listSessions',
      summary: 'List the live sessions of the user',
      tag: 'Sessions',
      credentials: 'access',
      answer: 'Sessions',
      errors: guarded,
    },
    'delete /sessions/:id': {
      id: 'endSession',
      summary: 'End one session of the user',
      tag: 'Sessions',
      credentials: 'access',
      errors: [...read, ...guarded, 'not_found'],
    },
    'post /token': {
      id: 'token',
      summary: 'Sign in or refresh as OAuth 2.0 has it',
      description:
        'RFC 6749 §4.3 and §6. The password is the code, followed by the authenticator app’s for users who have one.',
      tag: 'OAuth 2.0',
      body: {
        schemas: { PasswordGrant: OAUTH_FORMS.password, RefreshTokenGrant: OAUTH_FORMS.refreshToken },
        isForm: true,
      },
      answer: 'OauthTokens',
      limitedByAddress: true,
      errors: read,
      oauthErrors: [400, 429, 503],
    },
    'post /revoke': {
      id: 'revoke',
      summary: 'Revoke a token',
      description: 'RFC 7009. A token that nobody knows is revoked as well as any.',
      tag: 'OAuth 2.0',
      body: { schemas: { Revocation: OAUTH_FORMS.revocation }, isForm: true },
      answer: 'Nothing',
      errors: read,
      oauthErrors: [400, 503],
    },
    'get /.well-known/jwks.json': {
      id: 'jwks',
      summary: 'The public keys that access tokens are verified with',
      tag: 'Documents',
      answer: 'Jwks',
      errors: ['not_found'],
    },
    'get /openapi.json': {
      id: 'openapi',
      summary: 'This document',
      tag: 'Documents',
      answer: 'OpenApi',
      errors: [],
    },
    'get /docs': { id: 'docs', summary: 'This document as a page', tag: 'Documents', answer: 'page', errors: [] },
    'get /sign-in': { id: 'signIn', summary: 'The sign-in page', tag: 'Signing in', answer: 'page', errors: [] },
    'get /sign-out': { id: 'signOut', summary: 'The sign-out page', tag: 'Signing in', answer: 'page', errors: [] },

    'get /users/me': {
      ...user,
      id: 'readMe',
      summary: 'The user who is signed in',
      answer: 'User',
      errors: guarded,
    },
    'patch /users/me': {
      ...user,
      id: 'updateMe',
      summary: 'Change one’s own account',
      body: body('UpdateMe', userSchemas.updateMe, { isOptional: true }),
      answer: 'User',
      errors: [...read, ...guarded],
    },
    'delete /users/me': {
      ...user,
      id: 'deleteMe',
      summary: 'Delete one’s own account',
      description: 'Needs a recent sign-in. All sessions end.',
      setsCookie: true,
      errors: [...read, ...recent, 'conflict'],
    },
    'post /users/me/identifier': {
      ...user,
      id: 'changeIdentifier',
      summary: 'Send a code to a new e-mail address or phone number',
      description: 'Needs a recent sign-in.',
      body: body('ChangeIdentifier', userSchemas.changeIdentifier, { names: 'identifier' }),
      answer: 'CodeSent',
      limitedByAddress: true,
      errors: [...read, ...recent, 'rate_limited', 'delivery_failed'],
    },
    'post /users/me/identifier/verify': {
      ...user,
      id: 'verifyIdentifier',
      summary: 'Take the new e-mail address or phone number',
      description: 'Needs a recent sign-in. The old one gets a notice.',
      body: body('VerifyIdentifier', userSchemas.verifyIdentifier, { names: 'identifier' }),
      answer: 'User',
      limitedByAddress: true,
      errors: [...read, ...recent, 'invalid_otp', 'conflict', 'rate_limited'],
    },
    'get /users': {
      ...user,
      id: 'listUsers',
      summary: 'List users',
      description: 'For admins.',
      query: userSchemas.listUsers,
      answer: 'Users',
      errors: [...admin, 'invalid_request'],
    },
    'post /users': {
      ...user,
      id: 'createUser',
      summary: 'Create a user',
      description: 'For admins.',
      body: body('CreateUser', userSchemas.createUser, { names: 'identifier' }),
      answer: 'User',
      status: 201,
      errors: [...read, ...admin, 'conflict'],
    },
    'get /users/:id': {
      ...user,
      id: 'readUser',
      summary: 'Read a user',
      description: 'For the user and for admins.',
      answer: 'User',
      errors: [...admin, 'not_found'],
    },
    'patch /users/:id': {
      ...user,
      id: 'updateUser',
      summary: 'Change a user',
      description: 'For admins. What takes something away from the user ends the user’s sessions.',
      body: body('UpdateUser', userSchemas.updateUser, { isOptional: true }),
      answer: 'User',
      errors: [...read, ...admin, 'not_found', 'conflict'],
    },
    'delete /users/:id': {
      ...user,
      id: 'deleteUser',
      summary: 'Delete a user',
      description: 'For admins.',
      errors: [...read, ...admin, 'not_found', 'conflict'],
    },

    'post /totp/enroll': {
      ...factor,
      id: 'enrollTotp',
      summary: 'Begin with an authenticator app',
      description: 'Needs a recent sign-in. Nothing is asked of the user before it is confirmed.',
      answer: 'TotpEnrolment',
      errors: [...read, ...enrolling, 'reauthentication_required', 'conflict'],
    },
    'post /totp/confirm': {
      ...factor,
      id: 'confirmTotp',
      summary: 'Confirm the authenticator app',
      description: 'The recovery codes are shown this once.',
      body: body('TotpCode', totpBodies.code),
      answer: 'RecoveryCodes',
      limitedByAddress: true,
      errors: [...read, ...enrolling, 'invalid_totp', 'conflict', 'rate_limited'],
    },
    'post /totp/verify': {
      id: 'verifyTotp',
      summary: 'Sign in with the second factor',
      tag: 'Second factor',
      body: body('VerifyTotp', totpBodies.verify),
      answer: 'SignedIn',
      setsCookie: true,
      limitedByAddress: true,
      errors: [...read, 'invalid_token', 'invalid_totp', 'cross_site_request', 'rate_limited', 'store_unavailable'],
    },
    'post /totp/recovery-codes': {
      ...factor,
      id: 'renewRecoveryCodes',
      summary: 'Get new recovery codes',
      description: 'The old ones are dead.',
      body: body('TotpCode', totpBodies.code),
      answer: 'RecoveryCodes',
      limitedByAddress: true,
      errors: [...read, ...guarded, 'invalid_totp', 'conflict', 'rate_limited'],
    },
    'post /totp/disable': {
      ...factor,
      id: 'disableTotp',
      summary: 'Do without the authenticator app',
      description: 'By its code, or, where it is lost, by a recovery code.',
      body: body('TotpOrRecoveryCode', totpBodies.eitherCode),
      limitedByAddress: true,
      errors: [...read, ...guarded, 'invalid_totp', 'conflict', 'rate_limited'],
    },
  };
}
