import { cpSync } from 'node:fs';
import path from 'node:path';
import { twilioSender } from '../../examples/phone/twilio.js';
import { vonageSender } from '../../examples/phone/vonage.js';
import { startAuthApp } from '../support/auth-app.js';
import { call } from '../support/call.js';
import { projectWithPackage, runInstalled, runNode } from '../support/installed-package.js';
import { startProgram } from '../support/program.js';
import { startProvider } from '../support/provider.js';

jest.setTimeout(180_000); // A compiler and servers, on a machine that may have other things to do

const sms = { to: '+4915112345678', text: '123456 is your code & more', code: '123456', locale: 'en' };

describe('the Twilio sender', () => {
  const settings = { accountSid: 'AC00', authToken: 'secret', from: '+15005550006' };

  it('asks as the Programmable Messaging API has it', async () => {
    const { baseUrl, received } = await startProvider({ status: 201, body: { sid: 'SM00', status: 'queued' } });
    await twilioSender({ ...settings, baseUrl })(sms);
    expect(received).toHaveLength(1);
    expect(received[0]).toMatchObject({ method: 'POST', url: '/2010-04-01/Accounts/AC00/Messages.json' });
    expect(received[0]?.headers['authorization']).toBe(`Basic ${Buffer.from('AC00:secret').toString('base64')}`);
    expect(received[0]?.headers['content-type']).toMatch(/^application\/x-www-form-urlencoded/);
    const form = new URLSearchParams(received[0]?.body);
    expect(Object.fromEntries(form)).toEqual({ To: sms.to, Body: sms.text, From: settings.from });
  });

  it('names a messaging service as such', async () => {
    const { baseUrl, received } = await startProvider({ status: 201, body: {} });
    await twilioSender({ ...settings, from: 'MG00', baseUrl })(sms);
    const form = new URLSearchParams(received[0]?.body);
    expect([form.get('MessagingServiceSid'), form.get('From')]).toEqual(['MG00', null]);
  });

  it('rejects what Twilio refuses, without quoting it', async () => {
    const { baseUrl } = await startProvider({ status: 400, body: { code: 21211, message: `Invalid ${sms.to}` } });
    await expect(twilioSender({ ...settings, baseUrl })(sms)).rejects.toThrow(/^Twilio answered 400$/);
  });

  it('signs people in', async () => {
    const { baseUrl, received } = await startProvider({ status: 201, body: {} });
    const { auth } = await startAuthApp({
      sms: { send: twilioSender({ ...settings, baseUrl }), allowedCountries: ['DE'] },
    });
    await auth.api.requestOtp({ phoneNumber: sms.to });
    const otp = /\d{6}/.exec(new URLSearchParams(received[0]?.body).get('Body') ?? '')?.[0] ?? '';
    await expect(auth.api.verifyOtp({ phoneNumber: sms.to, otp })).resolves.toMatchObject({ tokenType: 'bearer' });
  });
});

describe('the Vonage sender', () => {
  const settings = { apiKey: 'key', apiSecret: 'secret', from: 'Shop' };
  const answer = (status: string) => ({ status: 200, body: { 'message-count': '1', messages: [{ status }] } });

  it('asks as the SMS API has it', async () => {
    const { baseUrl, received } = await startProvider(answer('0'));
    await vonageSender({ ...settings, baseUrl })(sms);
    expect(received[0]).toMatchObject({ method: 'POST', url: '/sms/json' });
    expect(received[0]?.headers['content-type']).toBe('application/json');
    expect(JSON.parse(received[0]?.body ?? '')).toEqual({
      api_key: 'key',
      api_secret: 'secret',
      from: 'Shop',
      to: '4915112345678',
      text: sms.text,
      type: 'unicode',
    });
  });

  it('rejects what Vonage refuses in an answer of 200, and any other answer', async () => {
    const refusing = await startProvider(answer('4'));
    await expect(vonageSender({ ...settings, baseUrl: refusing.baseUrl })(sms)).rejects.toThrow('status 4');
    const failing = await startProvider({ status: 500, body: {} });
    await expect(vonageSender({ ...settings, baseUrl: failing.baseUrl })(sms)).rejects.toThrow('500');
  });
});

describe('examples/phone', () => {
  let folder: string;
  beforeAll(() => {
    folder = path.join(projectWithPackage({ kinds: ['esm'] }), 'phone');
    cpSync(path.resolve(__dirname, '../../examples/phone'), folder, { recursive: true });
    runInstalled('tsc', [], folder);
  });

  const start = async (env: Record<string, string> = {}) => {
    const server = startProgram(process.execPath, ['dist/server.js'], { cwd: folder, env: { PORT: '0', ...env } });
    return { server, url: await server.line(/^http:/) };
  };
  const number = '0151 1234 5678';
  const signInWith = async (url: string, text: string) => {
    const otp = /\b\d{6}\b/.exec(text)?.[0];
    const { body } = await call(`${url}/auth/verify-otp`, { body: { phone_number: number, otp } });
    const headers = { Authorization: `Bearer ${String(body.access_token)}` };
    expect(await call(`${url}/me`, { method: 'GET', headers })).toMatchObject({ body: { phoneNumber: sms.to } });
  };

  it('passes its own tests', () => {
    expect(runNode(['--test', '--test-reporter=tap', 'dist/app.test.js'], folder)).toMatch(/^# pass 2$/m);
  });

  it('signs in with the text on the console, and ends by itself when it is told to', async () => {
    const { server, url } = await start();
    expect(await call(`${url}/auth/request-otp`, { body: { phone_number: number } })).toMatchObject({ status: 200 });
    await signInWith(url, await server.line(/^To \+4915112345678: /));
    server.signal('SIGTERM');
    await expect(server.ended).resolves.toEqual({ code: 0, signal: null });
  });

  it.each([
    ['Twilio', { TWILIO_ACCOUNT_SID: 'AC00', TWILIO_AUTH_TOKEN: 'secret' }, { status: 201, body: {} }],
    ['Vonage', { VONAGE_API_KEY: 'key', VONAGE_API_SECRET: 'secret' }, { status: 200, body: { messages: [] } }],
  ])('sends through %s where its variables are set', async (_name, variables, answer) => {
    const { baseUrl, received } = await startProvider(answer);
    const { url, server } = await start({ ...variables, SMS_FROM: '+15005550006', SMS_BASE_URL: baseUrl });
    expect(await call(`${url}/auth/request-otp`, { body: { phone_number: number } })).toMatchObject({ status: 200 });
    await signInWith(url, decodeURIComponent(received[0]?.body.replaceAll('+', ' ') ?? ''));
    expect(server.said()).not.toContain(sms.to);
  });

  it('does not start in production without a provider', async () => {
    const server = startProgram(process.execPath, ['dist/server.js'], { cwd: folder, env: { NODE_ENV: 'production' } });
    await expect(server.ended).resolves.toMatchObject({ code: 1 });
    expect(server.said()).toContain('No SMS provider is configured');
  });
});
