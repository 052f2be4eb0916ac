import type { AddressInfo } from 'node:net';
import express from 'express';
import { otpAuth } from '../src/index.js';
import { call } from './support/call.js';
import { closeAfterFile } from './support/closing.js';
import { freshRedis, redisUrl } from './support/redis.js';
import { type SmtpOptions, startSmtp } from './support/smtp.js';

const JO = 'jo@example.com';
const login = { username: 'mailer@shop.example', password: 'the password of the mailer' };

/** The README's quick start, with everything from variables. */
async function startShop(smtpOptions: SmtpOptions, variables: Record<string, string>) {
  await freshRedis();
  const smtp = await startSmtp(smtpOptions);
  closeAfterFile(() => smtp.close());
  const environment: Record<string, string> = {
    REDIS_URL: redisUrl(),
    SMTP_SERVER: smtp.host,
    SMTP_PORT: String(smtp.port),
    MAIL_FROM_NAME: 'My Shop',
    JWT_SECRET: 'a secret of the shop, which is longer than thirty-two bytes'.replace(',', ';'),
    ...variables,
  };
  for (const [name, value] of Object.entries(environment)) process.env[`EXPRESS_OTP_AUTH_${name}`] = value;
  const app = express();
  const auth = otpAuth(smtp.certificate === '' ? undefined : { email: { smtp: { tls: { ca: smtp.certificate } } } });
  for (const name of Object.keys(environment)) delete process.env[`EXPRESS_OTP_AUTH_${name}`];
  app.use('/auth', auth);
  app.get('/me', auth.requireUser, (req, res) => {
    res.json(req.user);
  });
  const server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  closeAfterFile(async () => {
    server.closeAllConnections();
    server.close();
    await auth.close();
  });
  return { smtp, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

describe('a person signs in with a code from an e-mail, on a real Redis and a real SMTP server', () => {
  it.each<[string, SmtpOptions, Record<string, string>]>([
    ['without TLS and login', {}, {}],
    [
      'with STARTTLS demanded and a login',
      { tls: 'starttls', login },
      { SMTP_SECURE: 'required', SMTP_USERNAME: login.username, SMTP_PASSWORD: login.password },
    ],
    [
      'with TLS from the start and a login',
      { tls: 'from-start', login },
      { SMTP_SECURE: 'true', SMTP_USERNAME: login.username, SMTP_PASSWORD: login.password },
    ],
  ])('%s: asks, reads, verifies, comes in, refreshes, logs out, and is out', async (_how, smtpOptions, variables) => {
    const { smtp, url } = await startShop(smtpOptions, variables);
    const post = (path: string, body?: unknown, headers = {}) => call(`${url}/auth/${path}`, { body, headers });
    const me = (token: unknown) =>
      call(`${url}/me`, { method: 'GET', headers: { Authorization: `Bearer ${String(token)}` } });

    const requested = await post('request-otp', { email: JO });
    expect([requested.status, requested.body]).toEqual([
      200,
      { message: 'OTP sent successfully', expires_in: 300, resend_in: 30 },
    ]);
    const [mail] = smtp.received;
    const code = smtp.lastCode(JO);
    expect(mail?.to).toEqual([JO]);
    expect(mail?.encrypted).toBe(smtpOptions.tls !== undefined);
    expect(mail?.username).toBe(smtpOptions.login?.username);
    expect(mail?.parsed.from?.value).toEqual([
      { name: 'My Shop', address: smtpOptions.login ? login.username : 'no-reply@localhost' },
    ]);
    // Text and HTML, each with the application's name, the code, its life, and what to do for whoever did not ask.
    expect(mail?.parsed.headers.get('content-type')).toMatchObject({ value: 'multipart/alternative' });
    expect(mail?.parsed.subject).toContain('My Shop');
    for (const part of [mail?.parsed.text, String(mail?.parsed.html)]) {
      for (const needed of ['My Shop', code, '5 minutes', 'ignore']) expect(part).toContain(needed);
    }

    const verified = await post('verify-otp', { email: JO, otp: code });
    expect(verified.status).toBe(200);
    const cookie = verified.cookies.find(({ name }) => name === 'refresh_token')?.value ?? '';
    const { access_token: first } = verified.body;
    expect((await me(first)).body).toMatchObject({ id: JO, email: JO, roles: [], amr: ['otp'] });

    const refreshed = await post('refresh', undefined, { Cookie: `refresh_token=${cookie}` });
    expect(refreshed.status).toBe(200);
    const next = refreshed.cookies.find(({ name }) => name === 'refresh_token')?.value ?? '';
    const { access_token: second } = refreshed.body;
    for (const token of [first, second]) expect((await me(token)).status).toBe(200);

    const loggedOut = await post('logout', undefined, {
      Cookie: `refresh_token=${next}`,
      Authorization: `Bearer ${String(second)}`,
    });
    expect([loggedOut.status, loggedOut.body]).toEqual([200, { message: 'Successfully logged out' }]);
    for (const token of [first, second]) {
      const answer = await me(token);
      expect([answer.status, answer.body.code]).toEqual([401, 'invalid_token']);
    }
    for (const token of [cookie, next]) {
      const answer = await post('refresh', undefined, { Cookie: `refresh_token=${token}` });
      expect([answer.status, answer.body.code]).toEqual([401, 'invalid_refresh_token']);
    }
    expect((await post('verify-otp', { email: JO, otp: code })).body.code).toBe('invalid_otp');
    expect(smtp.received).toHaveLength(1);
  });

  it('gets a 502 and another try where the mail server refuses', async () => {
    const { smtp, url } = await startShop({}, {});
    const error = jest.spyOn(console, 'error').mockImplementation(() => {});
    const ask = () => call(`${url}/auth/request-otp`, { body: { email: JO } });
    smtp.fail({ at: 'recipient', how: 'refuse' });
    const refused = await ask();
    expect([refused.status, refused.body.code]).toEqual([502, 'delivery_failed']);
    smtp.fail(undefined);
    expect((await ask()).status).toBe(200);
    expect(error).toHaveBeenCalledTimes(1);
    error.mockRestore();
    const answer = await call(`${url}/auth/verify-otp`, { body: { email: JO, otp: smtp.lastCode(JO) } });
    expect(answer.status).toBe(200);
  });
});
