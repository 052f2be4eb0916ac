import type { Request, RequestHandler, Response } from 'express';
import type { Devices } from '../../core/device.js';
import type { Identifier } from '../../core/identifier.js';
import type { Logout } from '../../core/logout.js';
import type { Clock } from '../../core/ports.js';
import type { RequestOtp } from '../../core/request-otp.js';
import type { EndReplaced } from '../../core/end-replaced.js';
import { randomId } from '../../core/random-id.js';
import type { SignIn } from '../../core/sessions.js';
import type { Change } from '../../core/users/accounts.js';
import type { VerifyOtp } from '../../core/verify-otp.js';
import { isOtpAuthError } from '../../errors.js';
import type { PageTexts } from '../../options.js';
import type { BrowserSessions } from '../browser-session.js';
import type { DeviceTokens } from '../device-token.js';
import type { IpLimits } from '../ip-limits.js';
import { sendJson } from '../json.js';
import type { AccessCookie, RefreshCookie } from '../refresh-cookie.js';
import { requesterOf } from '../requester.js';
import type { Route } from '../router.js';
import type { AppSetUp } from './app-set-up.js';
import { digitsOf, fieldOf } from './form.js';
import { chooseLanguage } from './language.js';
import { isFromScript, sendPage } from './page.js';
import { PENDING_LIFE_MS, type PendingSignIn, type PendingSignIns } from './pending-sign-in.js';
import { pathOfThisOrigin } from './return-to.js';
import type { SignInLinks } from './sign-in-links.js';
import type { StartSignIn } from './start-sign-in.js';
import { pageLanguages } from './texts.js';
import {
  addressView,
  codeView,
  doneView,
  enrolView,
  expiredLinkView,
  factorView,
  foreignLinkView,
  linkView,
  type PageError,
  recoveryCodesView,
  setUpView,
  signOutView,
  type Surroundings,
  type View,
} from './views.js';
import { sendRefusal, type Visit } from './visit.js';

/** A second factor handed in. */
export type AnswerChallenge = (
  mfaToken: string,
  attempt: { code: string } | { recoveryCode: string },
  by: Change,
) => Promise<SignIn & { identifier: Identifier }>;

export interface SignInPageDeps {
  requestOtp: RequestOtp;
  verifyOtp: VerifyOtp;
  /** Where users may have a second factor. */
  answerChallenge?: AnswerChallenge | undefined;
  /** Where everybody must have one. */
  setUp: AppSetUp | undefined;
  logout: Logout;
  startSignIn: StartSignIn;
  pendings: PendingSignIns;
  /** Where messages hold links. */
  links: SignInLinks | undefined;
  cookie: RefreshCookie;
  endReplaced: EndReplaced;
  access: AccessCookie | undefined;
  /** Where cookies say who is signed in. */
  browser: BrowserSessions | undefined;
  devices: Devices;
  deviceTokens: DeviceTokens;
  ipLimits: Pick<IpLimits, 'requests' | 'verifies'>;
  sameOrigin: RequestHandler;
  clock: Clock;
  readEmail: (input: string) => Identifier | undefined;
  readPhoneNumber: (input: string) => Identifier | undefined;
  settings: {
    appName: string;
    logoUrl?: string | undefined;
    css?: string | undefined;
    /** Where users go who came from nowhere. */
    returnTo: string;
    locales: Readonly<Record<string, PageTexts>>;
    codeLength: number;
    hasPhones: boolean;
  };
}

/** `/sign-in`, `/sign-in/link` and `/sign-out`: plain forms, each posted to the page's own address. */
export function signInRoutes(deps: SignInPageDeps): Route[] {
  const { pendings, links, browser, ipLimits, clock, settings } = deps;
  const languages = pageLanguages(settings.locales);
  const factorCode = /^[0-9]{6}$/;
  const sentCode = new RegExp(`^[0-9]{${settings.codeLength}}$`);

  /** What is wrong with the address, the code or whatever else becomes a page; anything unforeseen is the application's to handle. */
  const page =
    (handler: (visit: Visit) => Promise<unknown>): RequestHandler =>
    (req, res, next) => {
      const visit = visitOf(req, res);
      handler(visit)
        .catch((error: unknown) => tellError(visit, error))
        .catch(next);
    };

  async function tellError(visit: Visit, error: unknown): Promise<void> {
    const code = isOtpAuthError(error) ? error.code : undefined;
    if (code === 'conflict' || code === 'invalid_refresh_token') return startAnew(visit);
    return sendRefusal(visit, error, (shown) => addressView(visit.around, { error: shown }));
  }

  function visitOf(req: Request, res: Response): Visit {
    const language = chooseLanguage(req, languages);
    const around: Surroundings = { ...settings, language, addresses: settings.hasPhones ? 'either' : 'email' };
    return {
      req,
      res,
      around,
      next: pathOfThisOrigin(req.query['return_to']) ?? pendings.read(req)?.returnTo ?? settings.returnTo,
      send: (view, status) => sendPage(req, res, { ...settings, language, languages }, view, status),
    };
  }

  /** The page of a sign-in under way. */
  async function stateView({ around }: Visit, pending: PendingSignIn, error?: PageError): Promise<View> {
    const { id, identifier, mfa, setUp, sends } = pending;
    if (setUp !== undefined && deps.setUp !== undefined) {
      const app = await deps.setUp.present(setUp.secret, identifier.value);
      return setUpView(around, { id, secret: setUp.secret, ...app, error });
    }
    if (mfa !== undefined) return factorView(around, { id, methods: mfa.methods, error });
    const resendInSeconds = Math.max(0, Math.ceil((pending.resendAtMs - clock.now()) / 1000));
    return codeView(around, { id, identifier, isRepeated: sends > 1, resendInSeconds, error });
  }

  /** After a form a page is shown by another request, so that it can be reloaded; the script takes it at once. */
  async function goOn(visit: Visit, pending: PendingSignIn | undefined): Promise<void> {
    if (isFromScript(visit.req))
      visit.send(pending === undefined ? addressView(visit.around, {}) : await stateView(visit, pending));
    else visit.res.redirect(303, queryOf(visit.req, pending === undefined ? {} : { step: 'code' }));
  }

  function keep(visit: Visit, pending: PendingSignIn): PendingSignIn {
    pendings.keep(visit.req, visit.res, pending);
    return pending;
  }

  /** The sign-in under way; that of a session which this browser no longer has, or never had, is none. */
  async function underWay({ req }: Visit): Promise<PendingSignIn | undefined> {
    const pending = pendings.read(req);
    if (pending?.setUp === undefined) return pending;
    return (await deps.setUp?.find(req, pending.setUp.sessionId)) && pending;
  }

  /** The sign-in that a form belongs to: it must have come from a page of this browser's own. */
  function pendingOf({ req }: Visit): PendingSignIn | undefined {
    const pending = pendings.read(req);
    return pending !== undefined && fieldOf(req, 'sign_in') === pending.id ? pending : undefined;
  }

  async function tellExpired(visit: Visit): Promise<void> {
    // The same form once more, from another tab: there is nothing left to do.
    if ((await standing(visit)) === 'signed-in') leave(visit);
    else visit.send(addressView(visit.around, { error: { text: 'expiredError' } }), 400);
  }

  async function standing(visit: Visit): Promise<'signed-in' | 'to-enrol' | 'nobody'> {
    const { req, res } = visit;
    try {
      if (browser?.hasCookies(req) !== true) return 'nobody';
      await browser.authenticate(req, res);
      return 'signed-in';
    } catch (error) {
      if (isOtpAuthError(error) && error.code === 'mfa_required') return standingWithoutFactor(visit);
      if (isOtpAuthError(error) && error.status === 401) return 'nobody';
      throw error;
    }
  }

  /** The same of a session whose access token says nothing of a second factor. */
  async function standingWithoutFactor({ req, res }: Visit): Promise<'signed-in' | 'to-enrol' | 'nobody'> {
    const own = await deps.setUp?.find(req);
    if (own === undefined || deps.setUp === undefined) return 'nobody';
    const missing = deps.setUp.missing(own);
    if (missing !== 'nothing') return missing === 'app' ? 'to-enrol' : 'nobody';
    // An app was set up since then, elsewhere than on the page.
    await deps.setUp.renew(req, res, own);
    return 'signed-in';
  }

  /** An app was set up elsewhere meanwhile: in this session, which is then complete, or in another, which asks for it from now on. */
  async function startAnew(visit: Visit): Promise<void> {
    if ((await standingWithoutFactor(visit)) === 'signed-in') return leave(visit);
    await endSession(visit);
    return visit.send(addressView(visit.around, { error: { text: 'expiredError' } }), 400);
  }

  async function endSession({ req, res }: Visit): Promise<void> {
    const refreshTokens = deps.cookie.read(req);
    const accessToken = refreshTokens.length === 0 ? deps.access?.read(req)[0] : undefined;
    try {
      await deps.logout({ accessToken, refreshTokens }, requesterOf(req));
    } catch (error) {
      // Who is not signed in is signed out.
      if (!isOtpAuthError(error) || error.status !== 401) throw error;
    }
    deps.cookie.clear(req, res);
    pendings.forget(req, res);
  }

  async function sendCode(visit: Visit, identifier: Identifier): Promise<void> {
    const { req, res, around, next } = visit;
    const started = deps.startSignIn(req, identifier, next);
    const { resendInSeconds } = await deps.requestOtp({
      identifier,
      purpose: 'sign-in',
      locale: around.language.tag,
      requester: requesterOf(req),
      device: deps.devices.recognise(deps.deviceTokens.presented(req, undefined), identifier),
      link: started.link,
    });
    await goOn(visit, started.keep(res, resendInSeconds));
  }

  /** Verifies a code: it signs in, or takes the sign-in on to its second factor. */
  async function verify(
    visit: Visit,
    pending: PendingSignIn,
    code: string,
  ): Promise<{ signIn: SignIn } | { signIn?: undefined; pending: PendingSignIn }> {
    const { req } = visit;
    const { identifier } = pending;
    let signIn: SignIn;
    try {
      signIn = await deps.verifyOtp({
        identifier,
        code,
        requester: requesterOf(req),
        device: deps.devices.recognise(deps.deviceTokens.presented(req, undefined), identifier),
      });
    } catch (error) {
      if (!isOtpAuthError(error) || error.code !== 'mfa_required') throw error;
      const { mfaToken = '', methods = [] } = error.details;
      return { pending: keep(visit, { ...pending, mfa: { token: mfaToken, methods } }) };
    }
    if (deps.setUp === undefined) return { signIn };
    await admit(visit, signIn, identifier);
    return { pending: await beginSetUp(visit, deps.setUp, signIn, identifier) };
  }

  async function admit({ req, res }: Visit, signIn: SignIn, identifier: Identifier): Promise<void> {
    await deps.endReplaced(deps.cookie.read(req), signIn, requesterOf(req));
    deps.cookie.set(req, res, signIn);
    const deviceToken = deps.devices.remember(deps.deviceTokens.presented(req, undefined), identifier);
    deps.deviceTokens.hand(req, res, deviceToken, 'cookie');
  }

  async function finish(visit: Visit, signIn: SignIn, identifier: Identifier): Promise<void> {
    await admit(visit, signIn, identifier);
    pendings.forget(visit.req, visit.res);
    leave(visit);
  }

  /** Signed in without a second factor that everybody must have: what the app is set up with. */
  async function beginSetUp(visit: Visit, setUp: AppSetUp, signIn: SignIn, identifier: Identifier) {
    const { secret } = await setUp.enroll(signIn.user.id);
    const nowMs = clock.now();
    return keep(visit, {
      id: randomId(),
      identifier,
      resendAtMs: nowMs,
      endsAtMs: nowMs + PENDING_LIFE_MS,
      sends: 0,
      returnTo: visit.next,
      setUp: { sessionId: signIn.sessionId, secret },
    });
  }

  function leave({ req, res, around, next, send }: Visit): void {
    if (isFromScript(req)) sendJson(res, { location: next });
    else send(doneView(around, next));
  }

  const open = page(async (visit) => {
    const { req, res, around, next, send } = visit;
    const isNew = req.query['prompt'] === 'login';
    const who = req.method === 'HEAD' || isNew ? 'nobody' : await standing(visit);
    if (who === 'signed-in') return res.redirect(303, next);
    const pending = await underWay(visit);
    if (who === 'to-enrol' && pending?.setUp === undefined) return send(enrolView(around));
    if (pending !== undefined) return send(await stateView(visit, pending));
    const isLost = req.query['step'] === 'code';
    return send(addressView(around, isLost ? { error: { text: 'expiredError' } } : {}));
  });

  const takeAddress = async (visit: Visit) => {
    const { req, res, around, send } = visit;
    const value = fieldOf(req, 'address');
    try {
      await ipLimits.requests.check(req, res);
      const identifier = value.includes('@') ? deps.readEmail(value) : deps.readPhoneNumber(value);
      const text = settings.hasPhones ? 'eitherError' : 'emailError';
      if (identifier === undefined) return send(addressView(around, { value, error: { text } }), 400);
      const pending = pendings.read(req);
      const isUnderWay = pending?.identifier.value === identifier.value && pending.resendAtMs > clock.now();
      return await (isUnderWay ? goOn(visit, pending) : sendCode(visit, identifier));
    } catch (error) {
      return sendRefusal(visit, error, (shown) => addressView(around, { value, error: shown }));
    }
  };

  const takeCode = async (visit: Visit) => {
    const { req, res, send } = visit;
    const pending = pendingOf(visit);
    if (pending === undefined) return tellExpired(visit);
    try {
      await ipLimits.verifies.check(req, res);
      const code = digitsOf(fieldOf(req, 'code'));
      if (!sentCode.test(code)) return send(await stateView(visit, pending, { text: 'codeError' }), 400);
      const outcome = await verify(visit, pending, code);
      if (outcome.signIn === undefined) return await goOn(visit, outcome.pending);
      return await finish(visit, outcome.signIn, pending.identifier);
    } catch (error) {
      return sendRefusal(visit, error, (shown) => stateView(visit, pending, shown));
    }
  };

  const sendAgain = async (visit: Visit) => {
    const { req, res } = visit;
    const pending = pendingOf(visit);
    if (pending === undefined) return tellExpired(visit);
    // Pressed too early, the page says how long to wait.
    if (pending.resendAtMs > clock.now()) return goOn(visit, pending);
    try {
      await ipLimits.requests.check(req, res);
      return await sendCode(visit, pending.identifier);
    } catch (error) {
      const { retryAfterSeconds } = isOtpAuthError(error) && error.code === 'rate_limited' ? error.details : {};
      if (retryAfterSeconds === undefined)
        return sendRefusal(visit, error, (shown) => stateView(visit, pending, shown));
      return goOn(visit, keep(visit, { ...pending, resendAtMs: clock.now() + retryAfterSeconds * 1000 }));
    }
  };

  const takeFactor = (method: 'totp' | 'recovery_code') => async (visit: Visit) => {
    const { req, res, around, send } = visit;
    const pending = pendingOf(visit);
    if (pending?.mfa === undefined || deps.answerChallenge === undefined) return tellExpired(visit);
    const { id, mfa } = pending;
    const view = (error: PageError) => factorView(around, { id, methods: mfa.methods, method, error });
    try {
      await ipLimits.verifies.check(req, res);
      const isTotp = method === 'totp';
      const typed = isTotp ? digitsOf(fieldOf(req, 'code')) : fieldOf(req, 'recovery_code').trim();
      const wrong: PageError = { text: isTotp ? 'totpError' : 'recoveryError' };
      if (isTotp ? !factorCode.test(typed) : typed === '') return send(view(wrong), 400);
      const attempt = isTotp ? { code: typed } : { recoveryCode: typed };
      const signIn = await deps.answerChallenge(mfa.token, attempt, {
        requester: requesterOf(req),
        locale: around.language.tag,
      });
      return await finish(visit, signIn, signIn.identifier);
    } catch (error) {
      if (isOtpAuthError(error) && error.code === 'invalid_token') {
        pendings.forget(req, res);
        return tellExpired(visit);
      }
      return sendRefusal(visit, error, ({ text, ...shown }) =>
        view({ ...shown, text: text === 'totpError' && method === 'recovery_code' ? 'recoveryError' : text }),
      );
    }
  };

  const startSetUp = async (visit: Visit) => {
    const { req, res } = visit;
    const own = await deps.setUp?.find(req);
    if (deps.setUp === undefined || own === undefined || deps.setUp.missing(own) !== 'app') return tellExpired(visit);
    await ipLimits.verifies.check(req, res);
    const signIn = await deps.setUp.renew(req, res, own);
    return goOn(visit, await beginSetUp(visit, deps.setUp, signIn, addressOf(signIn.user)));
  };

  const confirmSetUp = async (visit: Visit) => {
    const { req, res, around, next, send } = visit;
    const pending = pendingOf(visit);
    const own = pending?.setUp && (await deps.setUp?.find(req, pending.setUp.sessionId));
    if (deps.setUp === undefined || pending?.setUp === undefined || own === undefined) return tellExpired(visit);
    try {
      await ipLimits.verifies.check(req, res);
      const code = digitsOf(fieldOf(req, 'code'));
      if (!factorCode.test(code)) return send(await stateView(visit, pending, { text: 'totpError' }), 400);
      const recoveryCodes = await deps.setUp.confirm(req, res, own, {
        secret: pending.setUp.secret,
        code,
        locale: around.language.tag,
      });
      pendings.forget(req, res);
      return send(recoveryCodesView(around, recoveryCodes, next));
    } catch (error) {
      return sendRefusal(visit, error, (shown) => stateView(visit, pending, shown));
    }
  };

  const restart = async (visit: Visit) => {
    const { req, res } = visit;
    // What is signed in for setting up an app alone stays with nobody.
    const isSettingUp = pendings.read(req)?.setUp !== undefined || (await standing(visit)) === 'to-enrol';
    if (isSettingUp) await endSession(visit);
    pendings.forget(req, res);
    return goOn(visit, undefined);
  };

  const steps = new Map<string, (visit: Visit) => Promise<unknown>>([
    ['address', takeAddress],
    ['code', takeCode],
    ['resend', sendAgain],
    ['totp', takeFactor('totp')],
    ['recovery_code', takeFactor('recovery_code')],
    ['set_up', startSetUp],
    ['confirm', confirmSetUp],
    ['restart', restart],
  ]);
  const take = page(async (visit) => (steps.get(fieldOf(visit.req, 'step')) ?? tellExpired)(visit));

  /** Changes nothing, whoever asks: mail programs, their scanners and browsers fetch links on their own. */
  const openLink = page(async ({ req, around, send }) => {
    const pending = pendings.read(req);
    const { outcome } = links?.open(req.query['token'], pending) ?? { outcome: 'expired' };
    if (outcome === 'own') send(linkView(around, pending as PendingSignIn));
    else if (outcome === 'foreign') send(foreignLinkView(around));
    else send(expiredLinkView(around), 400);
  });

  const takeLink = page(async (visit) => {
    const { req, res, around, send } = visit;
    const pending = pendingOf(visit);
    const opened = links?.open(req.query['token'], pending);
    if (pending === undefined || opened?.outcome !== 'own') return send(expiredLinkView(around), 400);
    try {
      await ipLimits.verifies.check(req, res);
      const outcome = await verify(visit, pending, opened.code);
      if (outcome.signIn !== undefined) return await finish(visit, outcome.signIn, pending.identifier);
      const location = '../sign-in';
      return isFromScript(req) ? sendJson(res, { location }) : res.redirect(303, location);
    } catch (error) {
      if (isOtpAuthError(error) && error.code === 'invalid_otp') return send(expiredLinkView(around), 400);
      return sendRefusal(visit, error, (shown) => linkView(around, pending, shown));
    }
  });

  const signOut = page(async (visit) => {
    const { req, res } = visit;
    const next = pathOfThisOrigin(fieldOf(req, 'return_to')) ?? pathOfThisOrigin(req.query['return_to']);
    await endSession(visit);
    const location = next ?? '/';
    return isFromScript(req) ? sendJson(res, { location }) : res.redirect(303, location);
  });

  const first = [deps.sameOrigin];
  return [
    { method: 'get', path: '/sign-in', handlers: [open] },
    { method: 'post', path: '/sign-in', body: 'form', first, handlers: [take] },
    ...(links === undefined
      ? []
      : ([
          { method: 'get', path: '/sign-in/link', handlers: [openLink] },
          { method: 'post', path: '/sign-in/link', body: 'form', first, handlers: [takeLink] },
        ] satisfies Route[])),
    { method: 'get', path: '/sign-out', handlers: [page(async ({ around, send }) => send(signOutView(around)))] },
    { method: 'post', path: '/sign-out', body: 'form', first, handlers: [signOut] },
  ];
}

/** Where a user is written to: an account has an e-mail address, a phone number, or both. */
function addressOf({ email, phoneNumber }: SignIn['user']): Identifier {
  return email === undefined ? { kind: 'phone', value: phoneNumber ?? '' } : { kind: 'email', value: email };
}

/** The page's own address, with what of its query belongs to the whole sign-in. */
function queryOf({ query }: Request, more: Record<string, string>): string {
  const kept = new URLSearchParams(more);
  for (const name of ['return_to', 'locale', 'prompt']) {
    const value = query[name];
    if (typeof value === 'string') kept.set(name, value);
  }
  return `?${kept.toString()}`;
}
