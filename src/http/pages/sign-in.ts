import type { Request, RequestHandler, Response } from 'express';
import type { Devices } from '../../core/device.js';
import type { Identifier } from '../../core/identifier.js';
import type { Logout } from '../../core/logout.js';
import type { Clock } from '../../core/ports.js';
import type { RequestOtp } from '../../core/request-otp.js';
import type { Requester } from '../../core/requester.js';
import type { SignIn } from '../../core/sessions.js';
import type { VerifyOtp } from '../../core/verify-otp.js';
import { isOtpAuthError, type OtpAuthError } from '../../errors.js';
import type { PageTexts } from '../../options.js';
import type { BrowserSessions } from '../browser-session.js';
import type { DeviceTokens } from '../device-token.js';
import type { IpLimits } from '../ip-limits.js';
import type { AccessCookie, RefreshCookie } from '../refresh-cookie.js';
import { requesterOf } from '../requester.js';
import type { Route } from '../router.js';
import { chooseLanguage } from './language.js';
import { isFromScript, sendPage } from './page.js';
import type { PendingSignIn, PendingSignIns } from './pending-sign-in.js';
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
  signOutView,
  type Surroundings,
  type View,
} from './views.js';

/** A second factor handed in. */
export type AnswerChallenge = (
  mfaToken: string,
  attempt: { code: string } | { recoveryCode: string },
  requester: Requester,
) => Promise<SignIn & { identifier: Identifier }>;

export interface SignInPageDeps {
  requestOtp: RequestOtp;
  verifyOtp: VerifyOtp;
  /** Where users may have a second factor. */
  answerChallenge?: AnswerChallenge | undefined;
  logout: Logout;
  startSignIn: StartSignIn;
  pendings: PendingSignIns;
  /** Where messages hold links. */
  links: SignInLinks | undefined;
  cookie: RefreshCookie;
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

/** One request for a page, with all that its answer needs. */
interface Visit {
  req: Request;
  res: Response;
  around: Surroundings;
  /** Where the user goes after signing in. */
  next: string;
  send: (view: View, status?: number) => void;
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
      handler(visit).catch((error: unknown) => {
        if (isOtpAuthError(error) && error.code in ERROR_TEXTS)
          sendRefusal(visit, error, (shown) => addressView(visit.around, { error: shown }));
        else next(error);
      });
    };

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
  function stateView({ around }: Visit, pending: PendingSignIn, error?: PageError): View {
    const { id, identifier, mfa, sends } = pending;
    if (mfa !== undefined) return factorView(around, { id, methods: mfa.methods, error });
    const resendInSeconds = Math.max(0, Math.ceil((pending.resendAtMs - clock.now()) / 1000));
    return codeView(around, { id, identifier, isRepeated: sends > 1, resendInSeconds, error });
  }

  /** After a form a page is shown by another request, so that it can be reloaded; the script takes it at once. */
  function goOn(visit: Visit, pending: PendingSignIn | undefined): void {
    if (isFromScript(visit.req))
      visit.send(pending === undefined ? addressView(visit.around, {}) : stateView(visit, pending));
    else visit.res.redirect(303, queryOf(visit.req, pending === undefined ? {} : { step: 'code' }));
  }

  function keep(visit: Visit, pending: PendingSignIn): PendingSignIn {
    pendings.keep(visit.req, visit.res, pending);
    return pending;
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

  async function standing({ req, res }: Visit): Promise<'signed-in' | 'to-enrol' | 'nobody'> {
    try {
      if (browser?.hasCookies(req) !== true) return 'nobody';
      await browser.authenticate(req, res);
      return 'signed-in';
    } catch (error) {
      if (isOtpAuthError(error) && error.code === 'mfa_required') return 'to-enrol';
      if (isOtpAuthError(error) && error.status === 401) return 'nobody';
      throw error;
    }
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
    goOn(visit, started.keep(res, resendInSeconds));
  }

  /** Verifies a code: it signs in, or takes the sign-in on to its second factor. */
  async function verify(
    { req }: Visit,
    pending: PendingSignIn,
    code: string,
  ): Promise<{ signIn: SignIn } | { signIn?: undefined; pending: PendingSignIn }> {
    const { identifier } = pending;
    try {
      const signIn = await deps.verifyOtp({
        identifier,
        code,
        requester: requesterOf(req),
        device: deps.devices.recognise(deps.deviceTokens.presented(req, undefined), identifier),
      });
      return { signIn };
    } catch (error) {
      if (!isOtpAuthError(error) || error.code !== 'mfa_required') throw error;
      const { mfaToken = '', methods = [] } = error.details;
      return { pending: { ...pending, mfa: { token: mfaToken, methods } } };
    }
  }

  function finish(visit: Visit, signIn: SignIn, identifier: Identifier): void {
    const { req, res } = visit;
    deps.cookie.set(req, res, signIn);
    const deviceToken = deps.devices.remember(deps.deviceTokens.presented(req, undefined), identifier);
    deps.deviceTokens.hand(req, res, deviceToken, 'cookie');
    pendings.forget(req, res);
    leave(visit);
  }

  function leave({ req, res, around, next, send }: Visit): void {
    if (isFromScript(req)) res.json({ location: next });
    else send(doneView(around, next));
  }

  const open = page(async (visit) => {
    const { req, res, around, next, send } = visit;
    const isNew = req.query['prompt'] === 'login';
    const who = req.method === 'HEAD' || isNew ? 'nobody' : await standing(visit);
    if (who === 'signed-in') return res.redirect(303, next);
    if (who === 'to-enrol') return send(enrolView(around, next));
    const pending = pendings.read(req);
    if (pending !== undefined) return send(stateView(visit, pending));
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
      return isUnderWay ? goOn(visit, pending) : await sendCode(visit, identifier);
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
      if (!sentCode.test(code)) return send(stateView(visit, pending, { text: 'codeError' }), 400);
      const outcome = await verify(visit, pending, code);
      if (outcome.signIn === undefined) return goOn(visit, keep(visit, outcome.pending));
      return finish(visit, outcome.signIn, pending.identifier);
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
      const signIn = await deps.answerChallenge(mfa.token, attempt, requesterOf(req));
      return finish(visit, signIn, signIn.identifier);
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

  const restart = async (visit: Visit) => {
    pendings.forget(visit.req, visit.res);
    goOn(visit, undefined);
  };

  const steps = new Map<string, (visit: Visit) => Promise<unknown>>([
    ['address', takeAddress],
    ['code', takeCode],
    ['resend', sendAgain],
    ['totp', takeFactor('totp')],
    ['recovery_code', takeFactor('recovery_code')],
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
      if (outcome.signIn !== undefined) return finish(visit, outcome.signIn, pending.identifier);
      keep(visit, outcome.pending);
      const location = '../sign-in';
      return isFromScript(req) ? res.json({ location }) : res.redirect(303, location);
    } catch (error) {
      if (isOtpAuthError(error) && error.code === 'invalid_otp') return send(expiredLinkView(around), 400);
      return sendRefusal(visit, error, (shown) => linkView(around, pending, shown));
    }
  });

  const signOut = page(async ({ req, res }) => {
    const next = pathOfThisOrigin(fieldOf(req, 'return_to')) ?? pathOfThisOrigin(req.query['return_to']);
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
    const location = next ?? '/';
    return isFromScript(req) ? res.json({ location }) : res.redirect(303, location);
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

/** The errors that a page tells of, and in which words. */
const ERROR_TEXTS: Partial<Record<OtpAuthError['code'], PageError['text']>> = {
  invalid_otp: 'otpError',
  invalid_totp: 'totpError',
  rate_limited: 'limitError',
  delivery_failed: 'deliveryError',
  store_unavailable: 'unavailableError',
};

/** Shows what was refused, with the status and the header fields that an endpoint would answer with. */
function sendRefusal({ res, send }: Visit, error: unknown, view: (shown: PageError) => View): void {
  const text = isOtpAuthError(error) ? ERROR_TEXTS[error.code] : undefined;
  if (!isOtpAuthError(error) || text === undefined) throw error;
  const { retryAfterSeconds } = error.details;
  if (retryAfterSeconds !== undefined) res.set('Retry-After', String(retryAfterSeconds));
  send(view({ text, retryAfterSeconds }), error.status);
}

/** One of a form's fields; empty where it is missing, or came more than once. */
function fieldOf(req: Request, name: string): string {
  const value = (req.body as Record<string, unknown> | undefined)?.[name];
  return typeof value === 'string' ? value : '';
}

/** The digits of what was typed or pasted: spaces and hyphens go, and Persian, Arabic and full-width digits become ASCII. */
function digitsOf(text: string): string {
  return text
    .normalize('NFKC')
    .replace(/[\u0660-\u0669\u06f0-\u06f9]/g, (digit) => String((digit.codePointAt(0) ?? 0) & 0xf))
    .replace(/\D/g, '');
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
