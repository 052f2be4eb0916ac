import type { Router } from 'express';
import { createApi, type OtpAuthApi } from './api.js';
import { emailChannel } from './channels/email.js';
import { smsChannel } from './channels/sms.js';
import { codeRulesOf, loadSettings, type Settings } from './config.js';
import { type Authenticate, createAuthenticate } from './core/authenticate.js';
import { createBackground } from './core/background.js';
import { type Budget, budgetOf } from './core/budget.js';
import { createDeadline, withDeadline } from './core/deadline.js';
import { createDevices } from './core/device.js';
import { createEvents, type Emit, type OtpAuthEvents } from './core/events.js';
import { createExplain } from './core/explain.js';
import { createExclusively } from './core/exclusively.js';
import { parseEmail, type ReadIdentifier, readEither } from './core/identifier.js';
import { createEndReplaced } from './core/end-replaced.js';
import { createLogout } from './core/logout.js';
import { createNotify } from './core/notify.js';
import { createPhoneNumbers } from './core/phone-number.js';
import type { Clock, Store } from './core/ports.js';
import { quietLogger } from './core/quiet-logger.js';
import { createRequestOtp } from './core/request-otp.js';
import { createRevokeToken } from './core/revoke-token.js';
import { deriveSecrets } from './core/secrets.js';
import { createSessions } from './core/sessions.js';
import { createSmsGuard } from './core/sms-guard.js';
import { CHALLENGE_SECONDS } from './core/totp/mfa-challenge.js';
import { createTotp } from './core/totp/totp.js';
import { createTokens } from './core/tokens.js';
import { identifiersAsUsers, type Users } from './core/users.js';
import { createAccounts } from './core/users/accounts.js';
import { createChangeIdentifier } from './core/users/change-identifier.js';
import type { StoredUser } from './core/users/checked-user-store.js';
import { keepFirstAdmin } from './core/users/first-admin.js';
import { createStoredUsers } from './core/users/stored-users.js';
import { createVerifyToken } from './core/verified-tokens.js';
import { createConsumeOtp, createVerifyOtp } from './core/verify-otp.js';
import { validBody } from './http/body.js';
import { createBrowserSessions } from './http/browser-session.js';
import { docsRoutes } from './http/docs-page.js';
import { deviceTokens } from './http/device-token.js';
import { createIpLimits } from './http/ip-limits.js';
import { jwksRoute } from './http/jwks.js';
import { logoutEndpoint } from './http/logout.js';
import type { OpenApiDocument } from './http/openapi/document.js';
import { createOpenApi } from './http/openapi/route.js';
import { oauthRoutes } from './http/oauth.js';
import { createAppSetUp } from './http/pages/app-set-up.js';
import { checkMountPath, createPages, signInPath } from './http/pages/pages.js';
import { accessCookie, refreshCookie } from './http/refresh-cookie.js';
import { refreshEndpoint } from './http/refresh.js';
import { requestOtpEndpoint } from './http/request-otp.js';
import { createGuards, type Guards } from './http/require-user.js';
import { createNoteRefusal } from './http/refusals.js';
import { createRouter, type Route, waitFor } from './http/router.js';
import { crossSiteCheck, sameOriginOnly } from './http/same-origin.js';
import { createSchemas } from './http/schemas.js';
import { sessionRoutes } from './http/sessions.js';
import { createUserSchemas } from './http/user-schemas.js';
import { userRoutes } from './http/users.js';
import { readTotpInput, totpRoutes } from './http/totp.js';
import { verifyOtpEndpoint } from './http/verify-otp.js';
import { openStore, openUserStore } from './open-stores.js';
import type { OtpAuthOptions } from './options.js';

/** How the package itself is. */
export interface Health {
  ok: boolean;
  store: { ok: boolean; latencyMs: number };
  /** With `revocation: 'push'`: whether this process answers from memory what is revoked. Where not, it asks Redis. */
  revocation?: { upToDate: boolean };
}

/** An Express router that also carries the guards, the functions and the events. */
export interface OtpAuth extends Router, Guards {
  /** Every endpoint as a function. */
  api: OtpAuthApi;
  events: OtpAuthEvents;
  /** The API as an OpenAPI 3.1 document, with the endpoints that this configuration has. What it refers to is relative to `/openapi.json`. */
  openapi(): OpenApiDocument;
  /** The odds of whoever guesses codes, as far as the configuration lets them. */
  budget(): Budget;
  /** Never throws. */
  health(): Promise<Health>;
  /** Closes what the factory opened, and nothing that it was handed. The process can then exit. */
  close(): Promise<void>;
}

/**
 * Makes the router: `app.use('/auth', otpAuth(options))`. What is not given as an option comes from the environment.
 *
 * @throws OtpAuthError `config_invalid`, whose message lists every problem of the configuration.
 */
export function otpAuth(options?: OtpAuthOptions): OtpAuth {
  return composeOtpAuth(options, identifiersAsUsers);
}

/** @internal For `/testing`, where users may have roles without accounts. */
export function composeOtpAuth(options: OtpAuthOptions | undefined, usersWithoutAccounts: Users): OtpAuth {
  const loaded = loadSettings(options);
  const settings = { ...loaded, logger: quietLogger(loaded.logger) };
  warnOnce(settings);
  const { logger, otp, limits, storeTimeoutMs } = settings;
  const clock = { now: () => Math.floor(settings.clock.now()) };

  const opened = openStore(settings);
  const deadline = createDeadline({ timeoutMs: storeTimeoutMs, logger, advice: opened.advice });
  const store = withDeadline(opened.store, deadline, logger);
  const { events, emit } = createEvents(logger);
  const secrets = deriveSecrets(settings.jwt.secrets);
  const tokens = createTokens(secrets, settings.jwt, clock);
  const rules = codeRulesOf(settings);
  const email = emailChannel(settings.email, { logger });
  const phones = settings.sms && openPhones(settings.sms, settings, { store, clock, emit });
  const read: ReadIdentifier = { email: parseEmail, phoneNumber: (input) => phones?.numbers.parse(input) };
  const channels = { email, phone: phones?.channel };
  const clockOf = settings.clock.now === Date.now ? 'system' : 'application';
  // With closed sign-up, not even the load that sending makes may tell whom something is sent.
  const background = createBackground({ spreadMs: settings.signUp === 'closed' && clockOf === 'system' ? 200 : 0 });
  const userStore = openUserStore(settings, opened.openRedisUsers);
  const { firstAdmin } = settings.users;
  const users =
    userStore === undefined
      ? usersWithoutAccounts
      : createStoredUsers({ userStore, clock, emit, signUp: settings.signUp, firstAdmin });

  const requestOtp = createRequestOtp({
    store,
    secrets,
    clock,
    emit,
    logger,
    background,
    rules,
    channels,
    smsGuard: phones?.guard,
    mayReceive: settings.signUp === 'closed' ? (identifier) => users.knows(identifier) : undefined,
    settings: { ...settings, storeTimeoutMs, codeLength: otp.length },
  });
  const sessions = createSessions({
    store,
    tokens,
    secrets,
    users,
    clock,
    emit,
    claims: settings.claims,
    settings: {
      ...settings.jwt,
      maxSessionsPerUser: settings.maxSessionsPerUser,
      challengeMs: settings.totp === undefined ? 0 : CHALLENGE_SECONDS * 1000,
    },
  });
  const consumeOtp = createConsumeOtp({ store, secrets, clock, emit, rules, smsGuard: phones?.guard });
  const notify = createNotify({ channels, background, logger });
  const exclusively = createExclusively({ store, clock, storeTimeoutMs });
  const totp =
    userStore &&
    settings.totp &&
    createTotp({
      userStore,
      exclusively,
      users,
      store,
      secrets,
      tokens,
      sessions,
      clock,
      emit,
      notify,
      logger,
      settings: {
        issuer: settings.totp.issuer ?? settings.email.fromName,
        isRequired: settings.totp.required,
        failuresPerDay: limits.secondFactorFailuresPerDay,
      },
    });
  const verifyOtp = createVerifyOtp({ consumeOtp, users, sessions, clock, challenge: totp?.challenge });
  const logout = createLogout({ tokens, sessions, clock });
  const endReplaced = createEndReplaced({ tokens, sessions });
  const revokeToken = createRevokeToken({ tokens, sessions, clock });
  const verifyToken = createVerifyToken({ tokens, secrets, entries: settings.jwt.verifiedTokenCache });
  const secondFactor = settings.totp?.required === true ? 'required' : 'optional';
  const authenticate = createAuthenticate({ verifyToken, store, secondFactor });
  const devices = createDevices({ secrets, clock });

  const accounts = userStore && {
    userStore,
    accounts: createAccounts({ userStore, sessions, exclusively, notify, clock, emit }),
    changeIdentifier: createChangeIdentifier({ userStore, requestOtp, consumeOtp, sessions, notify, clock, emit }),
    isTotpEnabled: (user: StoredUser) => totp?.isEnabled(user) ?? false,
  };
  const admin = userStore && firstAdmin && keepFirstAdmin(firstAdmin, { userStore, exclusively, clock, emit, logger });

  const schemas = createSchemas({ codeLength: otp.length, read });
  const userSchemas = createUserSchemas({ codeLength: otp.length, read });
  const access = settings.cookie.accessToken ? accessCookie(settings.cookie) : undefined;
  const cookie = refreshCookie(settings.cookie, access);
  const noteRefusal = createNoteRefusal({ emit, clock });
  const isCrossSite = crossSiteCheck(settings.allowedOrigins);
  const sameOrigin = sameOriginOnly(isCrossSite, noteRefusal);
  const device = { devices, deviceTokens: deviceTokens(settings.cookie, isCrossSite) };
  const ipLimits = createIpLimits({
    openHits: opened.openIpHits,
    secrets,
    clock,
    clockOf,
    emit,
    deadline,
    limits,
  });
  const http = { schemas, cookie, tokens, sessions };
  const pagePath = settings.pages && signInPath(settings.publicUrl);
  const browserSessions = (judge: Authenticate) =>
    access && createBrowserSessions({ ...http, access, authenticate: judge, isCrossSite, signInPath: pagePath });
  const guardsWith = (judge: Authenticate) =>
    createGuards({
      authenticate: judge,
      clock,
      recentSeconds: settings.recentSeconds,
      noteRefusal,
      browser: browserSessions(judge),
    });
  const guards = guardsWith(authenticate);
  const ready = Promise.all([phones?.numbers.ready, totp?.ready]).then(() => {});
  ready.catch(() => {}); // logged where it failed; whoever needs it is told
  const pages =
    settings.pages &&
    createPages({
      ...http,
      ...device,
      requestOtp,
      verifyOtp,
      answerChallenge: totp && ((...handedIn) => totp.challenge.answer(...handedIn)),
      setUp:
        totp && settings.totp?.required
          ? createAppSetUp({ ...http, ...totp, clock, recentSeconds: settings.recentSeconds })
          : undefined,
      logout,
      endReplaced,
      access,
      browser: browserSessions(authenticate),
      ipLimits,
      sameOrigin,
      isCrossSite,
      clock,
      secrets,
      cookieSettings: settings.cookie,
      publicUrl: settings.publicUrl,
      hasLinks: settings.email.link,
      readEmail: (input) => read.email(input),
      readPhoneNumber: (input) => read.phoneNumber(input),
      settings: {
        ...settings.pages,
        appName: settings.pages.appName ?? settings.email.fromName,
        codeLength: otp.length,
        hasPhones: phones !== undefined,
      },
    });
  const routes: Route[] = [
    {
      method: 'post',
      path: '/request-otp',
      handlers: [
        ipLimits.requests.handler,
        requestOtpEndpoint({ ...http, ...device, requestOtp, startSignIn: pages?.startSignIn }),
      ],
    },
    {
      method: 'post',
      path: '/verify-otp',
      first: [sameOrigin],
      handlers: [ipLimits.verifies.handler, verifyOtpEndpoint({ ...http, ...device, verifyOtp, endReplaced })],
    },
    { method: 'post', path: '/refresh', first: [sameOrigin], handlers: [refreshEndpoint(http)] },
    { method: 'post', path: '/logout', first: [sameOrigin], handlers: [logoutEndpoint({ ...http, logout, access })] },
    ...sessionRoutes({ ...http, guards }),
    ...oauthRoutes({
      ...http,
      ...device,
      verifyOtp,
      revokeToken,
      verifiesPerIp: ipLimits.verifies,
      readIdentifier: (input) => readEither(read, input),
      codeLength: otp.length,
    }),
    jwksRoute(settings.jwt),
    ...(totp
      ? totpRoutes({
          ...totp,
          ...http,
          ...device,
          endReplaced,
          guards,
          enrolmentGuards: guardsWith(createAuthenticate({ verifyToken, store, secondFactor: 'optional' })),
          sameOrigin,
          verifiesPerIp: ipLimits.verifies.handler,
        })
      : []),
    ...(accounts ? userRoutes({ ...accounts, schemas: userSchemas, guards, cookie, ipLimits }) : []),
    ...(settings.docs ? docsRoutes({ title: settings.email.fromName, logger }) : []),
  ];
  const openapi = createOpenApi({
    routes: [...routes, ...(pages?.routes ?? [])],
    schemas,
    userSchemas,
    secondFactor,
    appName: settings.email.fromName,
    cookie: settings.cookie,
    hasPhones: phones !== undefined,
    hasPages: pages !== undefined,
  });
  const mountCheck = pages && access ? [checkMountPath(settings.publicUrl, logger)] : [];
  const router = createRouter([...routes, ...(pages?.routes ?? []), openapi.route], [waitFor(ready), ...mountCheck]);
  const explain = createExplain({
    store,
    secrets,
    clock,
    rules,
    sessions,
    userIdOf: async (identifier) =>
      userStore === undefined ? identifier.value : (await userStore.findByIdentifier(identifier))?.id,
  });

  return Object.assign(router, guards, {
    events,
    api: createApi({
      requestOtp,
      verifyOtp,
      sessions,
      logout,
      authenticate,
      revokeToken,
      devices,
      ipLimits,
      explain,
      read: {
        identifier: (input: string) => readEither(read, input),
        requestOtp: (body: object) => validBody(schemas.requestOtp, body),
        verifyOtp: (body: object) => validBody(schemas.verifyOtp, body),
        // Without accounts the id is the address, and may come as a person writes it.
        userId: (id: string) => (accounts ? id : (readEither(read, id)?.value ?? id)),
        ready,
      },
      users: accounts && {
        ...accounts,
        ipLimits,
        read: {
          createUser: (body: object) => validBody(userSchemas.createUser, body),
          updateUser: (body: object) => validBody(userSchemas.updateUser, body),
          listUsers: (query: object) => validBody(userSchemas.listUsers, query),
          changeIdentifier: (body: object) => validBody(userSchemas.changeIdentifier, body),
          verifyIdentifier: (body: object) => validBody(userSchemas.verifyIdentifier, body),
          ready,
        },
      },
      totp: totp && accounts && { ...totp, ...accounts, devices, ipLimits, read: { ...readTotpInput, ready } },
    }),
    openapi: () => openapi.document(),
    budget: () => budgetOf(rules),
    health: () => checkHealth(store, opened.isUpToDate),
    close: async () => {
      ipLimits.close();
      admin?.stop();
      await background.settle();
      await Promise.all([email.close(), opened.close()]);
    },
  });
}

/** What codes by SMS need. */
function openPhones(
  sms: NonNullable<Settings['sms']>,
  { email, limits, logger }: Settings,
  deps: { store: Store; clock: Clock; emit: Emit },
) {
  const numbers = createPhoneNumbers(sms, logger);
  return {
    numbers,
    channel: smsChannel({ ...sms, appName: email.fromName }),
    guard: createSmsGuard({ ...deps, phoneNumbers: numbers, settings: { ...sms, ...limits } }),
  };
}

function warnOnce({ jwt, magicOtp, users, sms, logger }: Settings): void {
  if (jwt.secretIsRandom)
    logger.warn(
      'express-otp-auth: no JWT secret is configured, so a random one serves until this process ends. Set EXPRESS_OTP_AUTH_JWT_SECRET.',
    );
  if (magicOtp)
    logger.warn('express-otp-auth: magic codes are on: nothing is sent, and anyone can sign in as anyone with zeros.');
  if (users.firstAdmin?.kind === 'phone' && sms === undefined)
    logger.warn('express-otp-auth: users.firstAdmin is a phone number, and no code goes there before sms is set.');
}

async function checkHealth(store: Store, isUpToDate?: () => boolean): Promise<Health> {
  const start = performance.now();
  let ok = true;
  try {
    await store.ping();
  } catch {
    ok = false;
  }
  return {
    ok,
    store: { ok, latencyMs: Math.round((performance.now() - start) * 10) / 10 },
    ...(isUpToDate && { revocation: { upToDate: isUpToDate() } }),
  };
}
