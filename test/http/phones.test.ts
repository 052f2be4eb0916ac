import request from 'supertest';
import type { OtpAuthEvent, OtpAuthOptions, OutgoingSms } from '../../src/index.js';
import { type AuthApp, startAuthApp } from '../support/auth-app.js';
import { freshRedis, redisUrl } from '../support/redis.js';

const HOUR_SECONDS = 3600;

describe.each(['memory:', 'Redis'])('phone numbers, on %s', (where) => {
  let running: AuthApp;
  let texts: OutgoingSms[];
  const start = async (sms: Partial<NonNullable<OtpAuthOptions['sms']>> = {}, options: OtpAuthOptions = {}) => {
    if (where === 'Redis') await freshRedis();
    texts = [];
    running = await startAuthApp({
      ...options,
      redis: where === 'Redis' ? redisUrl() : where,
      limits: { requestsPerIpPerMinute: 1_000_000, verifiesPerIpPerMinute: 1_000_000, ...options.limits },
      sms: { send: (text) => texts.push(text), allowedCountries: ['DE', 'US'], ...sms },
    });
    return running;
  };
  const ask = (phone_number: unknown, more: object = {}) =>
    request(running.url)
      .post('/auth/request-otp')
      .send({ phone_number, ...more });
  const verify = (phone_number: string, otp: string) =>
    request(running.url).post('/auth/verify-otp').send({ phone_number, otp });

  it('signs in with a code by SMS; the user has a phone number and no invented e-mail', async () => {
    await start();
    expect((await ask('+49 151 12345678')).status).toBe(200);
    expect(texts).toEqual([{ to: '+4915112345678', text: expect.any(String), code: expect.any(String), locale: 'en' }]);
    expect(texts[0]?.text).toContain(texts[0]?.code);
    const answer = await verify('+4915112345678', texts[0]?.code ?? '');
    expect(answer.status).toBe(200);
    const me = await request(running.url).get('/me').set('Authorization', `Bearer ${answer.body.access_token}`);
    expect(me.body).toMatchObject({ id: '+4915112345678', phoneNumber: '+4915112345678' });
    expect(me.body.email).toBeUndefined();
    expect(me.body.claims.phone_number).toBe('+4915112345678');
    expect(running.mails).toEqual([]);
  });

  it('binds the code to the origin in the last line', async () => {
    await start({ origin: 'https://app.example.com' });
    await ask('+4915112345678', { locale: 'de' });
    expect(texts[0]?.text.split('\n').at(-1)).toBe(`@app.example.com #${texts[0]?.code}`);
    expect(texts[0]?.text).toContain('Anmeldecode');
  });

  it('lets the application write the text, and adds the last line all the same', async () => {
    await start({ origin: 'https://app.example.com:8443', render: ({ code, appName }) => `${appName}: ${code}` });
    await ask('+4915112345678');
    const code = texts[0]?.code;
    expect(texts[0]?.text).toBe(`Express App: ${code}\n\n@app.example.com:8443 #${code}`);
  });

  it('reads national forms where a default country is set, and one number however it is written', async () => {
    await start({ defaultCountry: 'DE' });
    const copiedFromContacts = '\u202d+49\u00a0151\u00a01234\u201156\u201378\u202c';
    for (const written of [
      '0151 12345678',
      '(0151) 1234-5678',
      ' +4915112345678 ',
      '+49 (0)151 12345678',
      '＋４９１５１１２３４５６７８',
      '+٤٩ ١٥١ ١٢٣٤٥٦٧٨',
      '۰۱۵۱ ۱۲۳۴۵۶۷۸',
      copiedFromContacts,
    ]) {
      const answer = await ask(written);
      expect([written, answer.status]).toEqual([written, 200]);
      expect(texts.at(-1)?.to).toBe('+4915112345678');
    }
    await running.close();
    await start();
    expect((await ask('0151 12345678')).status).toBe(400);
  });

  it.each([
    ['another country', '+38640123456'],
    ['a territory that shares a calling code', '+18765551234'],
    ['a premium number', '+19005551234'],
    ['letters', '+1800FLOWERS'],
    ['an extension', '+4915112345678;ext=5'],
    ['a tel: address', 'tel:+4915112345678'],
    ['digits that read backwards', '\u202e+4915112345678'],
    ['digits that are none', '+49151１２３４⁵⁶⁷⁸²'],
    ['words around it', 'call +4915112345678'],
    ['too few digits', '+4915'],
    ['too many digits', '+49151123456781234567'],
    ['a list', '+4915112345678,+4915112345679'],
    ['a line break', '+49151\n12345678'],
    ['100 kB in 8', '1'.repeat(7000)],
    ['a number type', 4915112345678],
    ['null', null],
    ['an array', ['+4915112345678']],
  ])('refuses %s, and sends nothing', async (_, written) => {
    await start();
    const answer = await ask(written);
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid_request']);
    expect(answer.body.errors[0].path).toBe('phone_number');
    expect(texts).toEqual([]);
  });

  it.each(['UK', 'XX', 'ZZZ', 'de', ''])('does not start with a country that is none: %j', async (country) => {
    const problem = /sms\.allowedCountries\.1: must be an ISO 3166-1 code/;
    await expect(start({ allowedCountries: ['GB', country] })).rejects.toThrow(problem);
    await start({ allowedCountries: ['GB', 'XK', 'AC', 'IM'] });
  });

  it('refuses a phone number where no SMS are configured, and a number beside an address', async () => {
    running = await startAuthApp();
    expect((await ask('+4915112345678')).status).toBe(400);
    await start();
    expect((await ask('+4915112345678', { email: 'jo@example.com' })).status).toBe(400);
  });

  it('answers 502 where the provider refuses, withdraws the code and counts nothing', async () => {
    let fails = true;
    await start(
      { send: (text) => (fails ? Promise.reject(new Error('refused')) : texts.push(text)) },
      { otp: { resendCooldownSeconds: 30 }, limits: { smsPerHour: 1 } },
    );
    const failed = await ask('+4915112345678');
    expect([failed.status, failed.body.code]).toEqual([502, 'delivery_failed']);
    fails = false;
    expect((await ask('+4915112345678')).status).toBe(200);
  });

  it.each(['send', 'render'] as const)('answers 502 where %s hangs', async (name) => {
    await start({ [name]: () => new Promise(() => {}), timeoutMs: 100 });
    const failed = await ask('+4915112345678');
    expect([failed.status, failed.body.code]).toEqual([502, 'delivery_failed']);
  });

  it('sends no more than limits.smsPerHour to all together, and leaves no live code behind', async () => {
    const { clock } = await start({}, { limits: { smsPerHour: 3 } });
    const answers = await Promise.all(Array.from({ length: 10 }, (_, index) => ask(`+491511234567${index}`)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(3);
    const refused = answers.find(({ status }) => status === 429);
    expect(refused?.body).toMatchObject({ code: 'rate_limited', retry_after: HOUR_SECONDS });
    expect(refused?.headers['retry-after']).toBe(String(HOUR_SECONDS));
    expect(texts).toHaveLength(3);
    clock.advanceSeconds(HOUR_SECONDS);
    expect((await ask('+4915112345670')).status).toBe(200);
  });

  it('stops sending to a range where too few codes are typed in, says so once, and goes on after a while', async () => {
    const { auth, clock } = await start({ minConversion: 0.5 });
    const paused: OtpAuthEvent<'sms.paused'>[] = [];
    auth.events.on('sms.paused', (event) => paused.push(event));
    const number = (range: string, index: number) => `+49${range}${String(index).padStart(8, '0')}`;
    for (let index = 0; index < 50; index++) expect((await ask(number('151', index))).status).toBe(200);
    expect([(await ask(number('151', 50))).status, (await ask(number('151', 51))).status]).toEqual([429, 429]);
    expect(paused).toEqual([{ at: clock.now(), country: 'DE', prefix: '+49151', forSeconds: 1800 }]);
    expect((await ask(number('170', 1))).status).toBe(200);
    expect(texts).toHaveLength(51);
    clock.advanceSeconds(1800);
    expect((await ask(number('151', 52))).status).toBe(200);
  });

  it('goes on where enough codes are typed in', async () => {
    await start({ minConversion: 0.5 });
    for (let index = 0; index < 60; index++) {
      const number = `+49151${String(index).padStart(8, '0')}`;
      expect((await ask(number)).status).toBe(200);
      if (index % 2 === 0) expect((await verify(number, texts.at(-1)?.code ?? '')).status).toBe(200);
    }
  });

  it('signs in through the functions and through the OAuth 2.0 form as well', async () => {
    const { auth, url } = await start();
    await auth.api.requestOtp({ phoneNumber: '+4915112345678' });
    const { accessToken } = await auth.api.verifyOtp({ phoneNumber: '+49 151 12345678', otp: texts[0]?.code ?? '' });
    await expect(auth.api.authenticate(accessToken)).resolves.toMatchObject({ phoneNumber: '+4915112345678' });
    await auth.api.requestOtp({ phoneNumber: '+4915112345678' });
    const form = { grant_type: 'password', username: '+4915112345678', password: texts[1]?.code ?? '' };
    const answer = await request(url).post('/auth/token').type('form').send(form);
    expect(answer.status).toBe(200);
    await expect(auth.api.revokeUser('+49 151 12345678')).resolves.toBe(2);
  });

  it('keeps no number in the store', async () => {
    if (where !== 'Redis') return;
    await start();
    await ask('+4915112345678');
    await verify('+4915112345678', texts[0]?.code ?? '');
    const redis = await import('ioredis').then(({ Redis }) => new Redis(redisUrl()));
    const keys = await redis.keys('*');
    const values = await Promise.all(keys.map(async (key) => [key, (await redis.dump(key))?.toString() ?? '']));
    redis.disconnect();
    expect(keys.length).toBeGreaterThan(0);
    expect(JSON.stringify(values)).not.toMatch(/15112345678/);
  });
});
