import type { Identifier } from '../../core/identifier.js';
import { type Html, html, trusted } from './html.js';
import { whenIn } from './language.js';
import type { PageLanguage } from './texts.js';

/** The part of a page that differs from page to page. */
export interface View {
  /** Text, as the browser's title shows it. */
  title: string;
  main: Html;
  isError?: boolean;
  /** Where the page goes by itself. */
  next?: string;
}

/** What all views need. */
export interface Surroundings {
  language: PageLanguage;
  appName: string;
  codeLength: number;
  /** Which addresses codes are sent to. */
  addresses: 'email' | 'either';
}

/** What is wrong with what was handed in, as a text of the language. */
export type PageError = { text: ErrorText; retryAfterSeconds?: number | undefined };

type ErrorText =
  | 'emailError'
  | 'eitherError'
  | 'codeError'
  | 'otpError'
  | 'totpError'
  | 'recoveryError'
  | 'limitError'
  | 'deliveryError'
  | 'unavailableError'
  | 'expiredError';

/** Asks for the address. */
export function addressView(around: Surroundings, { value = '', error }: { value?: string; error?: PageError }): View {
  const { texts } = around.language;
  const [label, type, complete, mode] =
    around.addresses === 'email'
      ? [texts.emailLabel, 'email', 'email', 'email']
      : [texts.eitherLabel, 'text', 'username', 'email'];
  const title = fill(texts.signInTitle, around);
  return {
    ...titled(title, error),
    main: html`<h1>${title.html}</h1>
      <p class="hint" id="hint">${texts.signInHint}</p>
      <form method="post" novalidate>
        <input type="hidden" name="step" value="address" />
        <label for="address">${label}</label>
        <input
          id="address"
          name="address"
          type="${type}"
          inputmode="${mode}"
          autocomplete="${complete}"
          autocapitalize="none"
          spellcheck="false"
          dir="ltr"
          maxlength="254"
          required
          autofocus
          value="${value}"
          ${described('address', ['hint'], error)}
        />
        ${errorOf('address', error, around)}
        <button>${texts.sendCode}</button>
      </form>`,
  };
}

/** What the view of a code shows. */
export interface CodeState {
  id: string;
  identifier: Identifier;
  isRepeated: boolean;
  resendInSeconds: number;
  error?: PageError | undefined;
}

/** Asks for the code. */
export function codeView(around: Surroundings, state: CodeState): View {
  const { texts } = around.language;
  const { identifier, error, resendInSeconds } = state;
  const title = fill(texts.codeTitle, around);
  const sent = fill(state.isRepeated ? texts.codeSentAgain : texts.codeSent, around, identifier);
  return {
    ...titled(title, error),
    main: html`<h1>${title.html}</h1>
      <p class="hint" id="sent">${sent.html}</p>
      <form method="post" novalidate>
        <input type="hidden" name="step" value="code" />
        <input type="hidden" name="sign_in" value="${state.id}" />
        <label for="code">${fill(texts.codeLabel, around).html}</label>
        ${codeInput(around, 'sent', error, html`autofocus data-otp="${identifier.kind === 'phone' ? 'sms' : 'email'}"`)}
        <button>${texts.signIn}</button>
      </form>
      <div class="more">${resendForm(around, state.id, resendInSeconds)} ${restartForm(around)}</div>`,
  };
}

/** The button works without JavaScript too: pressed too early, it is the answer that tells how long to wait. */
function resendForm(around: Surroundings, id: string, resendInSeconds: number): Html {
  const { texts } = around.language;
  const wait = (when: string) => texts.resendWait.replace('{when}', () => when);
  return html`<form method="post">
    <input type="hidden" name="step" value="resend" />
    <input type="hidden" name="sign_in" value="${id}" />
    ${
      resendInSeconds > 0
        ? html`<p class="hint" id="wait">${wait(whenIn(resendInSeconds, around.language))}</p>
            <button class="quiet" data-wait="${resendInSeconds}" data-text="${texts.resendWait}">
              ${texts.resend}
            </button>`
        : html`<button class="quiet">${texts.resend}</button>`
    }
  </form>`;
}

function restartForm({ language }: Surroundings): Html {
  return html`<form method="post">
    <input type="hidden" name="step" value="restart" /><button class="quiet">${language.texts.otherAddress}</button>
  </form>`;
}

/** Asks for the second factor. `error` belongs to the field of `method`. */
export function factorView(
  around: Surroundings,
  {
    id,
    methods,
    error,
    method = 'totp',
  }: { id: string; methods: readonly string[]; error?: PageError | undefined; method?: 'totp' | 'recovery_code' },
): View {
  const { texts } = around.language;
  const title = fill(texts.totpTitle, around);
  const isRecovery = method === 'recovery_code';
  const [totpError, recoveryError] = isRecovery ? [undefined, error] : [error, undefined];
  const recovery = html`<details class="more" ${isRecovery ? html`open` : undefined}>
    <summary>${texts.recoveryToggle}</summary>
    <form method="post" novalidate>
      <input type="hidden" name="step" value="recovery_code" />
      <input type="hidden" name="sign_in" value="${id}" />
      <label for="recovery_code">${texts.recoveryLabel}</label>
      <input
        id="recovery_code"
        name="recovery_code"
        type="text"
        autocomplete="off"
        autocapitalize="none"
        spellcheck="false"
        dir="ltr"
        maxlength="64"
        required
        ${isRecovery ? html`autofocus` : undefined}
        ${described('recovery_code', [], recoveryError)}
      />
      ${errorOf('recovery_code', recoveryError, around)}
      <button>${texts.signIn}</button>
    </form>
  </details>`;
  return {
    ...titled(title, error),
    main: html`<h1>${title.html}</h1>
      <p class="hint" id="hint">${fill(texts.totpHint, around).html}</p>
      <form method="post" novalidate>
        <input type="hidden" name="step" value="totp" />
        <input type="hidden" name="sign_in" value="${id}" />
        <label for="code">${texts.totpLabel}</label>
        ${codeInput(around, 'hint', totpError, isRecovery ? undefined : html`autofocus`)}
        <button>${texts.signIn}</button>
      </form>
      ${methods.includes('recovery_code') ? recovery : undefined}
      <div class="more">${restartForm(around)}</div>`,
  };
}

/**
 * Says that it is done, and goes on by itself. No redirect: in Chromium `form-action` holds for whatever a form's redirects
 * lead to, and the application may well send its users on to another origin.
 */
export function doneView(around: Surroundings, next: string): View {
  const { texts } = around.language;
  return {
    title: texts.doneTitle,
    next,
    main: html`<h1 tabindex="-1">${texts.doneTitle}</h1>
      <p><a class="button" href="${next}">${texts.proceed}</a></p>`,
  };
}

/** Tells a user who must have a second factor, and has none, to set one up. */
export function enrolView(around: Surroundings): View {
  const { texts } = around.language;
  return {
    title: texts.enrolTitle,
    main: html`<h1 tabindex="-1">${texts.enrolTitle}</h1>
      <p class="hint">${fill(texts.enrolHint, around).html}</p>
      <form method="post">
        <input type="hidden" name="step" value="set_up" />
        <button>${texts.proceed}</button>
      </form>
      <div class="more">${restartForm(around)}</div>`,
  };
}

/** What the view of an app that is being set up shows. */
export interface SetUpState {
  id: string;
  secret: string;
  uri: string;
  /** Markup of an SVG, in which no text is: the page's policy lets no image in for it. */
  qrCode: string;
  error?: PageError | undefined;
}

/** Shows what an authenticator app has to know, and asks for its first code. The field has no focus by itself: what comes first is read first. */
export function setUpView(around: Surroundings, { id, secret, uri, qrCode, error }: SetUpState): View {
  const { texts } = around.language;
  return {
    ...titled(plain(texts.enrolTitle), error),
    main: html`<h1 tabindex="-1">${texts.enrolTitle}</h1>
      <p class="hint" id="hint">${fill(texts.scanHint, around).html}</p>
      <div class="qr" role="img" aria-label="${texts.qrCode}">${trusted(qrCode)}</div>
      <p class="app"><a href="${uri}">${texts.openApp}</a></p>
      <p class="hint">${texts.secretHint}</p>
      <p class="secret" dir="ltr">${secret}</p>
      <form method="post" novalidate>
        <input type="hidden" name="step" value="confirm" />
        <input type="hidden" name="sign_in" value="${id}" />
        <label for="code">${texts.totpLabel}</label>
        ${codeInput(around, 'hint', error, error === undefined ? undefined : html`autofocus`)}
        <button>${texts.confirm}</button>
      </form>
      <div class="more">${restartForm(around)}</div>`,
  };
}

/** Shows the recovery codes, which no other page does again. */
export function recoveryCodesView({ language }: Surroundings, recoveryCodes: readonly string[], next: string): View {
  const { texts } = language;
  return {
    title: texts.recoveryCodesTitle,
    main: html`<h1 tabindex="-1">${texts.recoveryCodesTitle}</h1>
      <p class="hint">${texts.recoveryCodesHint}</p>
      <ul class="codes" dir="ltr">
        ${recoveryCodes.map((code) => html`<li>${code}</li>`)}
      </ul>
      <p><a class="button" href="${next}">${texts.proceed}</a></p>`,
  };
}

/** What a link opens in the browser that asked for it: a button, because programs that look into messages follow links. */
export function linkView(
  around: Surroundings,
  pending: { id: string; identifier: Identifier },
  error?: PageError,
): View {
  const { texts } = around.language;
  const title = fill(texts.signInTitle, around);
  return {
    ...titled(title, error),
    main: html`<h1>${title.html}</h1>
      <p class="hint">${fill(texts.linkHint, around, pending.identifier).html}</p>
      <form method="post">
        <input type="hidden" name="sign_in" value="${pending.id}" />
        ${errorOf('link', error, around)}
        <button autofocus ${error === undefined ? undefined : html`aria-describedby="link-error"`}>
          ${texts.signIn}
        </button>
      </form>`,
  };
}

/** What it opens in any other. The script takes the code from behind the `#`. */
export function foreignLinkView({ language }: Surroundings): View {
  const { texts } = language;
  return {
    title: texts.linkElsewhereTitle,
    main: html`<h1 tabindex="-1">${texts.linkElsewhereTitle}</h1>
      <p class="shown" data-code dir="ltr" hidden></p>
      <p class="hint">${texts.linkElsewhereHint}</p>`,
  };
}

export function expiredLinkView({ language }: Surroundings): View {
  const { texts } = language;
  return {
    title: texts.linkExpiredTitle,
    main: html`<h1 tabindex="-1">${texts.linkExpiredTitle}</h1>
      <p class="hint">${texts.linkExpiredHint}</p>
      <p><a class="button" href="../sign-in">${texts.startAgain}</a></p>`,
  };
}

export function signOutView(around: Surroundings): View {
  const { texts } = around.language;
  const title = fill(texts.signOutTitle, around);
  return {
    ...titled(title),
    main: html`<h1>${title.html}</h1>
      <form method="post"><button>${texts.signOut}</button></form>`,
  };
}

function titled({ text }: { text: string }, error?: PageError): { title: string; isError: boolean } {
  return { title: text, isError: error !== undefined };
}

/** The one field for a code, of a message or of an app, with what is wrong with it. Spaces may be pasted along. */
function codeInput(
  around: Surroundings,
  hint: string,
  error: PageError | undefined,
  attributes: Html | undefined,
): Html {
  return html`<input
      class="code"
      id="code"
      name="code"
      type="text"
      inputmode="numeric"
      autocomplete="one-time-code"
      autocapitalize="none"
      spellcheck="false"
      dir="ltr"
      maxlength="40"
      required
      ${attributes}
      ${described('code', [hint], error)}
    />
    ${errorOf('code', error, around)}`;
}

/** Ties a field to what describes it, and to what is wrong with it. */
function described(id: string, hints: readonly string[], error: PageError | undefined): Html | undefined {
  const ids = [...(error === undefined ? [] : [`${id}-error`]), ...hints];
  if (ids.length === 0) return undefined;
  return html`aria-describedby="${ids.join(' ')}" ${error === undefined ? undefined : html`aria-invalid="true"`}`;
}

function errorOf(id: string, error: PageError | undefined, around: Surroundings): Html | undefined {
  if (error === undefined) return undefined;
  const text = fill(around.language.texts[error.text], around).text;
  const when = whenIn(error.retryAfterSeconds ?? 1, around.language);
  return html`<p class="error" id="${id}-error">${text.replace('{when}', () => when)}</p>`;
}

/** A text with the names in it, as text and as markup: names from elsewhere are kept apart from the text's direction. */
function fill(
  template: string,
  { appName, codeLength, language }: Surroundings,
  identifier?: Identifier,
): { text: string; html: Html } {
  const values: Record<string, { text: string; html: Html }> = {
    app: { text: appName, html: html`<bdi>${appName}</bdi>` },
    digits: plain(new Intl.NumberFormat(language.tag).format(codeLength)),
    ...(identifier && { address: { text: identifier.value, html: html`<bdi dir="ltr">${identifier.value}</bdi>` } }),
  };
  const parts = template.split(/(\{\w+\})/).map((part) => values[part.slice(1, -1)] ?? plain(part));
  return { text: parts.map(({ text }) => text).join(''), html: html`${parts.map((part) => part.html)}` };
}

function plain(text: string): { text: string; html: Html } {
  return { text, html: html`${text}` };
}
