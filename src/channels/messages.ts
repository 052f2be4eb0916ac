import type { CodePurpose, NoticeKind } from '../core/ports.js';
import type { RenderedEmail, RenderInput } from '../options.js';

/** What `renderNotice` needs. */
export interface NoticeInput {
  kind: NoticeKind;
  appName: string;
  locale: string;
}

/**
 * The message that carries a code. Unknown locales get English.
 *
 * The subject begins with the code, as is common practice: it shows in a notification, so nobody has to open the
 * message. Keeping it out of the subject would hide nothing, since mail programs preview the first lines too.
 */
export function renderCode({ code, expiresInMinutes, appName, locale, purpose, link }: RenderInput): RenderedEmail {
  const language = languageOf(locale);
  const wording = LANGUAGES[language];
  const app = oneLine(appName);
  const subject = wording.subject[purpose](code, app);
  const before = wording.introduction[purpose](app);
  const after = [wording.validity(inMinutes(language, expiresInMinutes)), wording.ignore[purpose]];
  const [linkText, linkHtml] =
    link === undefined
      ? [[], []]
      : [
          [wording.link, link],
          [paragraph(wording.link), linkParagraph(wording.open, link)],
        ];
  return {
    subject: oneLine(subject),
    // The code has a line of its own, and no spaces or hyphens in it: one double click selects it whole.
    text: `${[before, code, ...linkText, ...after].join('\n\n')}\n`,
    html: page(language, subject, [paragraph(before), codeParagraph(code), ...linkHtml, ...after.map(paragraph)]),
  };
}

/**
 * The same in one short text. Its last line binds the code to a host, so that browsers offer it on that host's pages
 * alone (WICG origin-bound one-time codes).
 */
export function renderSmsCode(
  { code, expiresInMinutes, appName, locale, purpose }: RenderInput,
  host?: string,
): string {
  const language = languageOf(locale);
  const wording = LANGUAGES[language];
  const text = `${oneLine(wording.subject[purpose](code, oneLine(appName)))}. ${wording.validity(inMinutes(language, expiresInMinutes))}`;
  return host === undefined ? text : `${text}\n\n@${host} #${code}`;
}

/** The message that tells of a change to an account. Unknown locales get English. */
export function renderNotice({ kind, appName, locale }: NoticeInput): RenderedEmail {
  const language = languageOf(locale);
  const wording = LANGUAGES[language];
  const app = oneLine(appName);
  const subject = wording.notice[kind](app);
  const body = [`${subject}.`, wording.notYou(app)];
  return {
    subject: oneLine(subject),
    text: `${body.join('\n\n')}\n`,
    html: page(language, subject, body.map(paragraph)),
  };
}

/** Text fit for a header: line breaks, with which another header could begin, and other control characters become spaces. */
export function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').trim();
}

interface Wording {
  direction: 'ltr' | 'rtl';
  subject: Record<CodePurpose, (code: string, app: string) => string>;
  introduction: Record<CodePurpose, (app: string) => string>;
  /** Goes before the link, where there is one. */
  link: string;
  /** The link's name, where it needs not be readable. */
  open: string;
  validity: (life: string) => string;
  /** In the case that `validity` asks for. */
  minutes: Partial<Record<Intl.LDMLPluralRule, string>> & { other: string };
  ignore: Record<CodePurpose, string>;
  notice: Record<NoticeKind, (app: string) => string>;
  notYou: (app: string) => string;
}

// A new language is an entry here. The application's name and the code are all that is put into a text.
const LANGUAGES = {
  en: {
    direction: 'ltr',
    subject: {
      'sign-in': (code, app) => `${code} is your ${app} sign-in code`,
      'change-identifier': (code, app) => `${code} confirms your new address for ${app}`,
    },
    introduction: {
      'sign-in': (app) => `Your sign-in code for ${app}:`,
      'change-identifier': (app) => `Confirm your new address for ${app} with this code:`,
    },
    link: 'Or open this link in the browser in which you asked for the code:',
    open: 'Sign in',
    validity: (life) => `It works once and expires in ${life}.`,
    minutes: { one: 'minute', other: 'minutes' },
    ignore: {
      'sign-in': 'If you did not ask for this, ignore it. Do not give the code to anyone.',
      'change-identifier': 'If you did not ask for this, ignore it: nothing changes without the code.',
    },
    notice: {
      identifier_changed: (app) => `The address that you sign in to ${app} with was changed`,
      totp_enabled: (app) => `Two-step sign-in was turned on for ${app}`,
      totp_disabled: (app) => `Two-step sign-in was turned off for ${app}`,
      recovery_code_used: (app) => `A recovery code was used to sign in to ${app}`,
      recovery_codes_renewed: (app) => `New recovery codes were made for ${app}`,
    },
    notYou: (app) => `If that was not you, contact ${app} at once.`,
  },
  de: {
    direction: 'ltr',
    subject: {
      'sign-in': (code, app) => `${code} ist Ihr Anmeldecode für ${app}`,
      'change-identifier': (code, app) => `${code} bestätigt Ihre neue Adresse für ${app}`,
    },
    introduction: {
      'sign-in': (app) => `Ihr Anmeldecode für ${app}:`,
      'change-identifier': (app) => `Bestätigen Sie Ihre neue Adresse für ${app} mit diesem Code:`,
    },
    link: 'Oder öffnen Sie diesen Link in dem Browser, in dem Sie den Code angefordert haben:',
    open: 'Anmelden',
    validity: (life) => `Er gilt einmal und läuft in ${life} ab.`,
    minutes: { one: 'Minute', other: 'Minuten' },
    ignore: {
      'sign-in':
        'Wenn Sie das nicht angefordert haben, ignorieren Sie diese Nachricht. Geben Sie den Code an niemanden weiter.',
      'change-identifier':
        'Wenn Sie das nicht angefordert haben, ignorieren Sie diese Nachricht: Ohne den Code ändert sich nichts.',
    },
    notice: {
      identifier_changed: (app) => `Die Adresse, mit der Sie sich bei ${app} anmelden, wurde geändert`,
      totp_enabled: (app) => `Die Anmeldung in zwei Schritten wurde für ${app} eingeschaltet`,
      totp_disabled: (app) => `Die Anmeldung in zwei Schritten wurde für ${app} ausgeschaltet`,
      recovery_code_used: (app) => `Bei ${app} wurde ein Wiederherstellungscode zur Anmeldung verwendet`,
      recovery_codes_renewed: (app) => `Für ${app} wurden neue Wiederherstellungscodes erstellt`,
    },
    notYou: (app) => `Wenn Sie das nicht waren, wenden Sie sich sofort an ${app}.`,
  },
  fr: {
    direction: 'ltr',
    subject: {
      'sign-in': (code, app) => `${code} est votre code de connexion à ${app}`,
      'change-identifier': (code, app) => `${code} confirme votre nouvelle adresse pour ${app}`,
    },
    introduction: {
      'sign-in': (app) => `Votre code de connexion à ${app}\u00a0:`,
      'change-identifier': (app) => `Confirmez votre nouvelle adresse pour ${app} avec ce code\u00a0:`,
    },
    link: 'Ou ouvrez ce lien dans le navigateur où vous avez demandé le code\u00a0:',
    open: 'Se connecter',
    validity: (life) => `Il ne sert qu’une fois et expire dans ${life}.`,
    minutes: { one: 'minute', other: 'minutes' },
    ignore: {
      'sign-in': 'Si vous n’avez rien demandé, ignorez ce message. Ne communiquez le code à personne.',
      'change-identifier': 'Si vous n’avez rien demandé, ignorez ce message\u00a0: sans le code, rien ne change.',
    },
    notice: {
      identifier_changed: (app) => `L’adresse avec laquelle vous vous connectez à ${app} a été modifiée`,
      totp_enabled: (app) => `La connexion en deux étapes a été activée pour ${app}`,
      totp_disabled: (app) => `La connexion en deux étapes a été désactivée pour ${app}`,
      recovery_code_used: (app) => `Un code de secours a été utilisé pour se connecter à ${app}`,
      recovery_codes_renewed: (app) => `De nouveaux codes de secours ont été créés pour ${app}`,
    },
    notYou: (app) => `Si ce n’était pas vous, contactez ${app} sans attendre.`,
  },
  es: {
    direction: 'ltr',
    subject: {
      'sign-in': (code, app) => `${code} es tu código de acceso a ${app}`,
      'change-identifier': (code, app) => `${code} confirma tu nueva dirección para ${app}`,
    },
    introduction: {
      'sign-in': (app) => `Tu código de acceso a ${app}:`,
      'change-identifier': (app) => `Confirma tu nueva dirección para ${app} con este código:`,
    },
    link: 'O abre este enlace en el navegador en el que pediste el código:',
    open: 'Acceder',
    validity: (life) => `Sirve una sola vez y caduca en ${life}.`,
    minutes: { one: 'minuto', other: 'minutos' },
    ignore: {
      'sign-in': 'Si no lo has pedido, ignora este mensaje. No des el código a nadie.',
      'change-identifier': 'Si no lo has pedido, ignora este mensaje: sin el código no cambia nada.',
    },
    notice: {
      identifier_changed: (app) => `Se ha cambiado la dirección con la que accedes a ${app}`,
      totp_enabled: (app) => `Se ha activado el acceso en dos pasos para ${app}`,
      totp_disabled: (app) => `Se ha desactivado el acceso en dos pasos para ${app}`,
      recovery_code_used: (app) => `Se ha usado un código de recuperación para acceder a ${app}`,
      recovery_codes_renewed: (app) => `Se han creado códigos de recuperación nuevos para ${app}`,
    },
    notYou: (app) => `Si no has sido tú, ponte en contacto con ${app} cuanto antes.`,
  },
  fa: {
    direction: 'rtl',
    subject: {
      'sign-in': (code, app) => `${code} کد ورود شما به ${isolated(app)} است`,
      'change-identifier': (code, app) => `${code} کد تأیید نشانی جدید شما در ${isolated(app)} است`,
    },
    introduction: {
      'sign-in': (app) => `کد ورود شما به ${isolated(app)}:`,
      'change-identifier': (app) => `برای تأیید نشانی جدید خود در ${isolated(app)} این کد را وارد کنید:`,
    },
    link: 'یا این پیوند را در همان مرورگری باز کنید که کد را در آن خواستید:',
    open: 'ورود',
    validity: (life) => `این کد یک‌بارمصرف است و تا ${life} دیگر اعتبار دارد.`,
    minutes: { other: 'دقیقه' },
    ignore: {
      'sign-in': 'اگر شما این کد را نخواسته‌اید، این پیام را نادیده بگیرید. کد را به هیچ‌کس ندهید.',
      'change-identifier': 'اگر شما این کد را نخواسته‌اید، این پیام را نادیده بگیرید: بدون کد چیزی تغییر نمی‌کند.',
    },
    notice: {
      identifier_changed: (app) => `نشانی ورود شما به ${isolated(app)} تغییر کرد`,
      totp_enabled: (app) => `ورود دومرحله‌ای برای ${isolated(app)} فعال شد`,
      totp_disabled: (app) => `ورود دومرحله‌ای برای ${isolated(app)} غیرفعال شد`,
      recovery_code_used: (app) => `برای ورود به ${isolated(app)} از یک کد بازیابی استفاده شد`,
      recovery_codes_renewed: (app) => `برای ${isolated(app)} کدهای بازیابی تازه‌ای ساخته شد`,
    },
    notYou: (app) => `اگر این کار شما نبوده است، فوراً با ${isolated(app)} تماس بگیرید.`,
  },
  sl: {
    direction: 'ltr',
    subject: {
      'sign-in': (code, app) => `${code} je vaša prijavna koda za ${app}`,
      'change-identifier': (code, app) => `${code} potrjuje vaš novi naslov za ${app}`,
    },
    introduction: {
      'sign-in': (app) => `Vaša prijavna koda za ${app}:`,
      'change-identifier': (app) => `Potrdite svoj novi naslov za ${app} s to kodo:`,
    },
    link: 'Ali pa odprite to povezavo v brskalniku, v katerem ste zahtevali kodo:',
    open: 'Prijava',
    validity: (life) => `Uporabite jo lahko enkrat in poteče čez ${life}.`,
    minutes: { one: 'minuto', two: 'minuti', few: 'minute', other: 'minut' },
    ignore: {
      'sign-in': 'Če tega niste zahtevali, sporočilo prezrite. Kode ne zaupajte nikomur.',
      'change-identifier': 'Če tega niste zahtevali, sporočilo prezrite: brez kode se nič ne spremeni.',
    },
    notice: {
      identifier_changed: (app) => `Naslov, s katerim se prijavljate v ${app}, je bil spremenjen`,
      totp_enabled: (app) => `Prijava v dveh korakih je bila vklopljena za ${app}`,
      totp_disabled: (app) => `Prijava v dveh korakih je bila izklopljena za ${app}`,
      recovery_code_used: (app) => `Za prijavo v ${app} je bila uporabljena obnovitvena koda`,
      recovery_codes_renewed: (app) => `Za ${app} so bile ustvarjene nove obnovitvene kode`,
    },
    notYou: (app) => `Če to niste bili vi, se takoj obrnite na ${app}.`,
  },
} as const satisfies Record<string, Wording>;

type Language = keyof typeof LANGUAGES;

/** The languages that messages are written in, as primary subtags of BCP 47. */
export const LANGUAGE_TAGS: readonly string[] = Object.keys(LANGUAGES);

/** Chosen by the primary subtag alone (RFC 4647 §3.4, lookup). The request's own text goes no further than this. */
function languageOf(locale: string): Language {
  const [primary = ''] = locale.trim().toLowerCase().split(/[-_]/, 1);
  return isLanguage(primary) ? primary : 'en';
}

function isLanguage(tag: string): tag is Language {
  return Object.hasOwn(LANGUAGES, tag);
}

const numbers = new Map<Language, { count: Intl.NumberFormat; plural: Intl.PluralRules }>();

function inMinutes(language: Language, minutes: number): string {
  // Making a formatter costs far more than the rest of a message: each language has one.
  let format = numbers.get(language);
  if (!format) {
    format = {
      count: new Intl.NumberFormat(language, { maximumFractionDigits: 1 }),
      plural: new Intl.PluralRules(language),
    };
    numbers.set(language, format);
  }
  const units: Wording['minutes'] = LANGUAGES[language].minutes;
  return `${format.count.format(minutes)} ${units[format.plural.select(minutes)] ?? units.other}`;
}

/** Keeps a name in another script, and the punctuation at its end, together in right-to-left text (Unicode TR 9 §2.7). */
function isolated(name: string): string {
  return `\u2068${name}\u2069`;
}

/**
 * No colours, so that dark mode can choose them; no image, font or link, so that nothing is fetched and nothing tells
 * when the message was read. Some mail programs drop the `html` and `head` elements: language and direction are on
 * the `div` again.
 */
function page(language: Language, title: string, paragraphs: string[]): string {
  const { direction } = LANGUAGES[language];
  return `<!doctype html>
<html lang="${language}" dir="${direction}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<meta name="format-detection" content="telephone=no, date=no, address=no, email=no, url=no">
<title>${escapeHtml(oneLine(title))}</title>
</head>
<body>
<div lang="${language}" dir="${direction}" style="font-family:system-ui,sans-serif;font-size:16px;line-height:1.5">
${paragraphs.join('\n')}
</div>
</body>
</html>
`;
}

function paragraph(text: string): string {
  return `<p>${escapeHtml(text)}</p>`;
}

/** A button in the colour of the text, which dark mode may choose as well. */
function linkParagraph(name: string, link: string): string {
  const style =
    'display:inline-block;padding:10px 20px;border:2px solid;border-radius:8px;font-weight:bold;text-decoration:none';
  return `<p><a href="${escapeHtml(link)}" style="${style}">${escapeHtml(name)}</a></p>`;
}

function codeParagraph(code: string): string {
  const style = 'font-family:ui-monospace,monospace;font-size:32px;letter-spacing:4px';
  return `<p><strong style="${style}">${escapeHtml(code)}</strong></p>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}
