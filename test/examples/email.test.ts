import { parseEnv } from 'node:util';
import { mailbox } from '../../examples/email/mailbox.js';
import { postmarkSender } from '../../examples/email/postmark.js';
import { resendSender } from '../../examples/email/resend.js';
import { loadSettings } from '../../src/config.js';
import { otpAuth } from '../../src/index.js';
import { SECRET, startAuthApp } from '../support/auth-app.js';
import { closeAfterFile } from '../support/closing.js';
import { codeBlocks, pageAt } from '../support/markdown.js';
import { startProvider } from '../support/provider.js';
import { startSmtp } from '../support/smtp.js';

const mail = {
  to: 'jo@example.com',
  from: { name: 'Shop', address: 'codes@example.com' },
  subject: '123456 is your Shop sign-in code',
  text: '123456',
  html: '<p>123456</p>',
  locale: 'en',
  purpose: 'sign-in',
};

describe('mailbox', () => {
  it.each([
    ['Shop', 'Shop <codes@example.com>'],
    ['Moja trgovina č', 'Moja trgovina č <codes@example.com>'],
    ['Shop, Inc.', '"Shop, Inc." <codes@example.com>'],
    ['The "Shop" \\', '"The \\"Shop\\" \\\\" <codes@example.com>'],
    ['Shop <evil@example.net>', '"Shop <evil@example.net>" <codes@example.com>'],
  ])('writes %s as %s', (name, written) => {
    expect(mailbox({ name, address: 'codes@example.com' })).toBe(written);
  });
});

describe('the Resend sender', () => {
  it('asks as the API has it', async () => {
    const { baseUrl, received } = await startProvider({ status: 200, body: { id: '49a3999c' } });
    await resendSender({ apiKey: 're_123', baseUrl })(mail);
    expect(received).toHaveLength(1);
    const [{ headers, body, ...line }] = received as [(typeof received)[0]];
    expect(line).toEqual({ method: 'POST', url: '/emails' });
    expect(headers).toMatchObject({ authorization: 'Bearer re_123', 'content-type': 'application/json' });
    expect(headers['user-agent']).toBeTruthy(); // Resend refuses requests without one
    const { to, subject, text, html } = mail;
    expect(JSON.parse(body)).toEqual({ from: 'Shop <codes@example.com>', to: [to], subject, text, html });
  });

  it('rejects what Resend refuses, without quoting it', async () => {
    const { baseUrl } = await startProvider({ status: 422, body: { name: 'validation_error', message: mail.to } });
    await expect(resendSender({ apiKey: 're_123', baseUrl })(mail)).rejects.toThrow(/^Resend answered 422$/);
  });
});

describe('the Postmark sender', () => {
  it('asks as the API has it', async () => {
    const { baseUrl, received } = await startProvider({ status: 200, body: { ErrorCode: 0, Message: 'OK' } });
    await postmarkSender({ serverToken: 'token', baseUrl })(mail);
    expect(received).toHaveLength(1);
    const [{ headers, body, ...line }] = received as [(typeof received)[0]];
    expect(line).toEqual({ method: 'POST', url: '/email' });
    expect(headers).toMatchObject({
      accept: 'application/json',
      'content-type': 'application/json',
      'x-postmark-server-token': 'token',
    });
    expect(JSON.parse(body)).toEqual({
      From: 'Shop <codes@example.com>',
      To: mail.to,
      Subject: mail.subject,
      TextBody: mail.text,
      HtmlBody: mail.html,
      MessageStream: 'outbound',
    });
  });

  it('rejects what Postmark refuses with its number, without quoting it', async () => {
    const { baseUrl } = await startProvider({ status: 422, body: { ErrorCode: 406, Message: `Inactive ${mail.to}` } });
    const sender = postmarkSender({ serverToken: 'token', baseUrl });
    await expect(sender(mail)).rejects.toThrow(/^Postmark answered 422, error 406$/);
  });

  it('rejects an answer that is not JSON', async () => {
    const { baseUrl } = await startProvider({ status: 503, body: Buffer.from('') });
    const sender = postmarkSender({ serverToken: 'token', baseUrl });
    await expect(sender(mail)).rejects.toThrow(/^Postmark answered 503$/);
  });
});

describe.each([
  ['Resend', (baseUrl: string) => resendSender({ apiKey: 're_123', baseUrl })],
  ['Postmark', (baseUrl: string) => postmarkSender({ serverToken: 'token', baseUrl })],
])('with the %s sender', (_name, senderTo) => {
  it('signs people in', async () => {
    const { baseUrl, received } = await startProvider({ status: 200, body: {} });
    const { auth } = await startAuthApp({ email: { send: senderTo(baseUrl), fromName: 'Shop' } });
    await auth.api.requestOtp({ email: mail.to });
    const otp = /\b\d{6}\b/.exec(received[0]?.body ?? '')?.[0] ?? '';
    await expect(auth.api.verifyOtp({ email: mail.to, otp })).resolves.toMatchObject({ tokenType: 'bearer' });
  });

  it('withdraws the code that was not taken', async () => {
    const { baseUrl } = await startProvider({ status: 500, body: {} });
    const { auth } = await startAuthApp({ email: { send: senderTo(baseUrl) } });
    await expect(auth.api.requestOtp({ email: mail.to })).rejects.toMatchObject({ code: 'delivery_failed' });
  });
});

describe("docs/email.md's variables for Amazon SES", () => {
  it('log in over STARTTLS, and send', async () => {
    const shown = codeBlocks(pageAt('docs/email.md')).find(({ code }) => code.includes('amazonaws.com'))!;
    const { EXPRESS_OTP_AUTH_SMTP_SERVER: host, ...variables } = parseEnv(shown.code);
    expect(host).toMatch(/^email-smtp\.[a-z]+-[a-z]+-\d\.amazonaws\.com$/);
    const login = {
      username: variables['EXPRESS_OTP_AUTH_SMTP_USERNAME']!,
      password: variables['EXPRESS_OTP_AUTH_SMTP_PASSWORD']!,
    };
    const smtp = await startSmtp({ tls: 'starttls', login });
    closeAfterFile(() => smtp.close());
    const { from, smtp: settings } = loadSettings({}, variables).email;
    expect(settings).toMatchObject({ port: 587, secure: 'required' });
    const here = { host: smtp.host, port: smtp.port, tls: { ca: smtp.certificate } };
    const auth = otpAuth({
      redis: 'memory:',
      jwt: { secret: SECRET },
      email: { from, smtp: { ...settings, ...login, ...here } },
    });
    closeAfterFile(() => auth.close());
    await auth.api.requestOtp({ email: mail.to });
    expect(await smtp.waitFor(mail.to)).toMatchObject({
      from: 'codes@example.com',
      encrypted: true,
      username: login.username,
    });
  });
});
