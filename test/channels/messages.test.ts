import { LANGUAGE_TAGS, oneLine, renderCode, renderNotice } from '../../src/channels/messages.js';
import type { CodePurpose, NoticeKind } from '../../src/core/ports.js';
import type { RenderInput } from '../../src/options.js';

const purposes: CodePurpose[] = ['sign-in', 'change-identifier'];
const notices: NoticeKind[] = ['identifier_changed', 'totp_enabled', 'totp_disabled', 'recovery_code_used'];

function render(input: Partial<RenderInput> = {}) {
  return renderCode({
    code: '012345',
    expiresInMinutes: 5,
    appName: 'Express App',
    locale: 'en',
    purpose: 'sign-in',
    ...input,
  });
}

describe('a message with a code', () => {
  it('says in English what it is, how long it lasts, and to ignore what was not asked for', () => {
    const { subject, text, html } = render();
    expect(subject).toBe('012345 is your Express App sign-in code');
    expect(text).toBe(
      [
        'Your sign-in code for Express App:',
        '012345',
        'It works once and expires in 5 minutes.',
        'If you did not ask for this, ignore it. Do not give the code to anyone.\n',
      ].join('\n\n'),
    );
    for (const paragraph of text.trim().split('\n\n')) expect(html).toContain(`>${paragraph}<`);
  });

  it('has words of its own for a new address', () => {
    const { subject, text } = render({ purpose: 'change-identifier' });
    expect(subject).toBe('012345 confirms your new address for Express App');
    expect(text).toMatch(/^Confirm your new address for Express App with this code:$/m);
    expect(text).not.toMatch(/sign-in/);
  });

  it.each(LANGUAGE_TAGS.flatMap((locale) => purposes.map((purpose) => ({ locale, purpose }))))(
    'holds everything in $locale for $purpose',
    ({ locale, purpose }) => {
      const { subject, text, html } = render({ locale, purpose, expiresInMinutes: 5 });
      const five = new Intl.NumberFormat(locale).format(5);
      expect(subject).toMatch(/^012345 .*Express App/);
      expect(text).toMatch(/^012345$/m);
      expect(html).toContain('>012345<');
      for (const part of [text, html]) {
        expect(part).toContain('Express App');
        expect(part).toMatch(new RegExp(`${five} \\p{L}+`, 'u'));
      }
      expect(html.match(new RegExp(`lang="${locale}" dir="${locale === 'fa' ? 'rtl' : 'ltr'}"`, 'g'))).toHaveLength(2);
      expect(text).not.toMatch(/undefined|\{|\}/);
      if (locale !== 'en') expect(text).not.toBe(render({ purpose }).text);
    },
  );

  it.each(['en-GB', 'pt', 'xx', '', ' ', 'constructor', '__proto__', 'toString', '../de', '<b>', 'e\r\nn'])(
    'is in English for the locale %j',
    (locale) => expect(render({ locale })).toEqual(render()),
  );

  it.each(['de-AT', 'DE', 'de_CH', ' de '])('is in German for the locale %j', (locale) =>
    expect(render({ locale })).toEqual(render({ locale: 'de' })),
  );

  it.each([
    ['en', 1, '1 minute.'],
    ['en', 2, '2 minutes.'],
    ['de', 1, '1 Minute ab'],
    ['fr', 1, '1 minute.'],
    ['es', 10, '10 minutos.'],
    ['sl', 1, 'čez 1 minuto.'],
    ['sl', 2, 'čez 2 minuti.'],
    ['sl', 3, 'čez 3 minute.'],
    ['sl', 5, 'čez 5 minut.'],
    ['fa', 10, 'تا ۱۰ دقیقه'],
  ])('counts minutes as %s does: %d', (locale, expiresInMinutes, expected) =>
    expect(render({ locale, expiresInMinutes }).text).toContain(expected),
  );

  it('escapes everything that it puts into HTML', () => {
    const { html } = render({ appName: `<script>"&'`, code: '<b>1</b>' });
    expect(html).toContain('&lt;script&gt;&quot;&amp;&#39;');
    expect(html).toContain('&lt;b&gt;1&lt;/b&gt;');
    expect(html).not.toMatch(/<script|<b>/);
  });

  it('keeps its subject and its lines to one line each, whatever the name', () => {
    const { subject, text } = render({ appName: 'Evil\r\nBcc: all@example.com\u2028\u0000App' });
    expect(subject).toBe('012345 is your Evil Bcc: all@example.com App sign-in code');
    expect(text.split('\n')[0]).toBe('Your sign-in code for Evil Bcc: all@example.com App:');
  });

  it('fetches nothing, and sets no colours against dark mode', () => {
    for (const locale of LANGUAGE_TAGS) {
      const { html } = render({ locale });
      expect(html).not.toMatch(/https?:|src=|href=|url\(|@import|<link|<script|<img/i);
      expect(html).not.toMatch(/color:/i);
      expect(html).toContain('<meta name="color-scheme" content="light dark">');
    }
  });
});

describe('a notice', () => {
  it.each(LANGUAGE_TAGS.flatMap((locale) => notices.map((kind) => ({ locale, kind }))))(
    'tells in $locale of $kind',
    ({ locale, kind }) => {
      const { subject, text, html } = renderNotice({ kind, locale, appName: 'A & B\r\nC' });
      expect(subject).toContain('A & B C');
      expect(text.startsWith(`${subject}.\n\n`)).toBe(true);
      expect(html).toContain('A &amp; B C');
      expect(html).toContain(`lang="${locale}"`);
      const others = notices.filter((other) => other !== kind);
      for (const other of others) {
        expect(renderNotice({ kind: other, locale, appName: 'A & B\r\nC' }).subject).not.toBe(subject);
      }
    },
  );

  it('is in English for an unknown locale', () => {
    const notice = { kind: 'totp_disabled', appName: 'Express App' } as const;
    expect(renderNotice({ ...notice, locale: 'xx' })).toEqual(renderNotice({ ...notice, locale: 'en' }));
    expect(renderNotice({ ...notice, locale: 'en' }).subject).toBe('Two-step sign-in was turned off for Express App');
  });
});

it('makes one line of any text', () => {
  expect(oneLine('  a\r\nb\u0000c\u0085d\u2029e\tf  ')).toBe('a b c d e f');
  expect(oneLine('plain – with “signs”')).toBe('plain – with “signs”');
});
