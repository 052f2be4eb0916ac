import type { OtpAuthEvent, OtpAuthOptions } from '../../src/index.js';
import { startAuthApp } from '../support/auth-app.js';
import { call, type Call } from '../support/call.js';
import { describeOnEachStore } from '../support/each-store.js';
import { readToken } from '../support/jwt.js';

const JO = 'jo@example.com';

describeOnEachStore('POST /request-otp', (stored) => {
  const start = async (options: OtpAuthOptions = {}) => {
    const app = await startAuthApp({ ...stored(), ...options, otp: { resendCooldownSeconds: 30, ...options.otp } });
    const requestOtp = (body: unknown, headers?: Call['headers']) =>
      call(`${app.url}/auth/request-otp`, { body, ...(headers && { headers }) });
    const verifyOtp = (email: string, otp: string) => call(`${app.url}/auth/verify-otp`, { body: { email, otp } });
    return { ...app, requestOtp, verifyOtp };
  };

  it('sends one message with a code, and says how long the code lives and when another may be asked for', async () => {
    const { requestOtp, mails } = await start();
    const answer = await requestOtp({ email: 'jo@example.com' });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({ message: 'OTP sent successfully', expires_in: 300, resend_in: 30 });
    expect(answer.headers['content-type']).toMatch(/^application\/json\b/);
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(answer.cookies).toEqual([]);
    expect(mails.map(({ to }) => to)).toEqual(['jo@example.com']);
  });

  it('answers with the times that are configured', async () => {
    const { requestOtp } = await start({ otp: { expirySeconds: 45, resendCooldownSeconds: 7 } });
    const { body } = await requestOtp({ email: 'jo@example.com' });
    expect([body.expires_in, body.resend_in]).toEqual([45, 7]);
  });

  it.each([6, 7, 8, 9, 10])('draws codes of %i digits where otp.length says so', async (length) => {
    const { requestOtp, verifyOtp, lastCode } = await start({ otp: { length } });
    await requestOtp({ email: 'jo@example.com' });
    expect(lastCode('jo@example.com')).toMatch(new RegExp(`^[0-9]{${length}}$`));
    expect((await verifyOtp('jo@example.com', lastCode('jo@example.com'))).status).toBe(200);
  });

  it('ignores unknown members', async () => {
    const { requestOtp } = await start();
    expect((await requestOtp({ email: 'jo@example.com', roles: ['admin'], purpose: 'x' })).status).toBe(200);
  });

  it.each([
    [' Jo.Doe@Example.COM\t', 'jo.doe@example.com'],
    ['jo@BÜCHER.example', 'jo@xn--bcher-kva.example'],
    ["o'neil+tag@sub.example.co.uk", "o'neil+tag@sub.example.co.uk"],
  ])('takes %j for one and the same as %j, at every endpoint and in every limit', async (written, canonical) => {
    const { requestOtp, verifyOtp, mails, lastCode } = await start();
    expect((await requestOtp({ email: written })).status).toBe(200);
    expect(mails.map(({ to }) => to)).toEqual([canonical]);
    expect((await requestOtp({ email: canonical })).status).toBe(429);
    const signedIn = await verifyOtp(canonical.toUpperCase(), lastCode(canonical));
    expect(signedIn.status).toBe(200);
    expect(readToken(signedIn.body.access_token).payload).toMatchObject({ sub: canonical, email: canonical });
  });

  it('keeps a cool-down between two messages, in whole seconds, and sends nothing meanwhile', async () => {
    const { requestOtp, mails, clock } = await start();
    await requestOtp({ email: 'jo@example.com' });
    clock.advanceSeconds(12.5);
    const refused = await requestOtp({ email: 'jo@example.com' });
    expect(refused.status).toBe(429);
    expect(refused.headers['content-type']).toMatch(/^application\/problem\+json\b/);
    expect(refused.headers['retry-after']).toBe('18');
    expect(refused.body).toMatchObject({ code: 'rate_limited', status: 429, retry_after: 18 });
    clock.advanceSeconds(17.4);
    expect((await requestOtp({ email: 'jo@example.com' })).body.retry_after).toBe(1);
    expect(mails).toHaveLength(1);
    clock.advanceSeconds(0.1);
    expect((await requestOtp({ email: 'jo@example.com' })).status).toBe(200);
    expect(mails).toHaveLength(2);
  });

  it('keeps the first code good while the cool-down refuses a second', async () => {
    const { requestOtp, verifyOtp, lastCode } = await start();
    await requestOtp({ email: 'jo@example.com' });
    await requestOtp({ email: 'jo@example.com' });
    expect((await verifyOtp('jo@example.com', lastCode('jo@example.com'))).status).toBe(200);
  });

  it('keeps the limits of one address from another', async () => {
    const { requestOtp } = await start();
    await requestOtp({ email: 'jo@example.com' });
    expect((await requestOtp({ email: 'joe@example.com' })).status).toBe(200);
  });

  it('sends limits.sendsPerHour messages in any hour, and says when the next can go', async () => {
    const { requestOtp, clock } = await start({ otp: { resendCooldownSeconds: 0 }, limits: { sendsPerHour: 3 } });
    for (const _ of [1, 2, 3]) {
      expect((await requestOtp({ email: 'jo@example.com' })).status).toBe(200);
      clock.advanceSeconds(60);
    }
    const refused = await requestOtp({ email: 'jo@example.com' });
    expect([refused.status, refused.body.retry_after]).toEqual([429, 3420]);
    clock.advanceSeconds(3420);
    expect((await requestOtp({ email: 'jo@example.com' })).status).toBe(200);
    // The window moves: of the other two the older one counts for another minute.
    expect((await requestOtp({ email: 'jo@example.com' })).body.retry_after).toBe(60);
  });

  it('sends limits.sendsPerDay messages in any 24 hours', async () => {
    const { requestOtp, clock } = await start({ otp: { resendCooldownSeconds: 0 }, limits: { sendsPerDay: 2 } });
    await requestOtp({ email: 'jo@example.com' });
    await requestOtp({ email: 'jo@example.com' });
    clock.advanceSeconds(12 * 3600);
    const refused = await requestOtp({ email: 'jo@example.com' });
    expect([refused.status, refused.body.retry_after]).toEqual([429, 12 * 3600]);
    clock.advanceSeconds(12 * 3600);
    expect((await requestOtp({ email: 'jo@example.com' })).status).toBe(200);
  });

  it('has the limits that the contract names where none are configured', async () => {
    const { requestOtp, clock } = await start();
    const statuses: number[] = [];
    for (let sent = 0; sent < 11; sent += 1) {
      statuses.push((await requestOtp({ email: 'jo@example.com' })).status);
      clock.advanceSeconds(30);
    }
    expect(statuses).toEqual([...Array<number>(10).fill(200), 429]);
    clock.advanceSeconds(3600);
    for (let sent = 0; sent < 11; sent += 1) {
      statuses.push((await requestOtp({ email: 'jo@example.com' })).status);
      clock.advanceSeconds(400);
    }
    expect(statuses.slice(11)).toEqual([...Array<number>(10).fill(200), 429]);
  });

  it('lets the newest code alone work', async () => {
    const { requestOtp, verifyOtp, lastCode, clock } = await start();
    await requestOtp({ email: 'jo@example.com' });
    const older = lastCode('jo@example.com');
    clock.advanceSeconds(30);
    await requestOtp({ email: 'jo@example.com' });
    const newer = lastCode('jo@example.com');
    if (older !== newer) expect((await verifyOtp('jo@example.com', older)).status).toBe(400);
    expect((await verifyOtp('jo@example.com', newer)).status).toBe(200);
  });

  it('lets the otp.liveCodes newest codes work, and none once one of them is used', async () => {
    const { requestOtp, verifyOtp, lastCode, clock } = await start({ otp: { liveCodes: 2 } });
    const codes: string[] = [];
    for (const _ of [1, 2, 3]) {
      await requestOtp({ email: 'jo@example.com' });
      codes.push(lastCode('jo@example.com'));
      clock.advanceSeconds(30);
    }
    const [first = '', second = '', third = ''] = codes;
    expect((await verifyOtp('jo@example.com', first)).status).toBe(400);
    expect((await verifyOtp('jo@example.com', second)).status).toBe(200);
    expect((await verifyOtp('jo@example.com', third)).status).toBe(400);
  });

  it('passes the language on: the body’s, else the browser’s first, else English', async () => {
    const { requestOtp, mails } = await start({ otp: { resendCooldownSeconds: 0 } });
    await requestOtp({ email: 'jo@example.com', locale: 'de' }, { 'Accept-Language': 'fr' });
    await requestOtp({ email: 'jo@example.com' }, { 'Accept-Language': 'en;q=0.5, pt-BR, *;q=0.1' });
    await requestOtp({ email: 'jo@example.com' });
    await requestOtp({ email: 'jo@example.com' }, { 'Accept-Language': '*' });
    expect(mails.map(({ locale }) => locale)).toEqual(['de', 'pt-BR', 'en', 'en']);
    expect(mails[0]?.text).toMatch(/Minuten/);
  });

  it.each(['<script>alert(1)</script>', 'en"><b>', 'x'.repeat(300), '../../etc/passwd'])(
    'takes the Accept-Language %j for no language at all',
    async (language) => {
      const { requestOtp, mails } = await start();
      expect((await requestOtp({ email: 'jo@example.com' }, { 'Accept-Language': language })).status).toBe(200);
      expect(mails[0]?.locale).toBe('en');
    },
  );

  it('reports what it did: the address masked, never whole', async () => {
    const { requestOtp, auth } = await start();
    const events: [string, OtpAuthEvent][] = [];
    for (const name of ['otp.requested', 'otp.sent', 'limit.hit'] as const)
      auth.events.on(name, (event) => events.push([name, event]));
    await requestOtp({ email: 'jo@example.com' }, { 'User-Agent': 'A browser' });
    await requestOtp({ email: 'jo@example.com' });
    expect(events.map(([name]) => name)).toEqual(['otp.requested', 'otp.sent', 'limit.hit']);
    expect(events[0]?.[1]).toMatchObject({
      at: expect.any(Number) as number,
      identifier: 'j***@example.com',
      ip: '127.0.0.1',
      userAgent: 'A browser',
    });
    expect(events[2]?.[1]).toMatchObject({ limit: 'resend_cooldown', identifier: 'j***@example.com' });
    expect(JSON.stringify(events)).not.toContain('jo@example.com');
  });
});

describeOnEachStore('a message that cannot be handed over', (stored) => {
  const start = async (options: OtpAuthOptions = {}) => {
    const provider = { refuses: true, sent: [] as string[] };
    const app = await startAuthApp({
      ...stored(),
      ...options,
      otp: { resendCooldownSeconds: 30 },
      email: {
        send: async ({ text }) => {
          provider.sent.push(/^\d{6}$/m.exec(text)?.[0] ?? '');
          if (provider.refuses) throw new Error(`no such mailbox: jo@example.com, ${text}`);
        },
      },
    });
    const requestOtp = () => call(`${app.url}/auth/request-otp`, { body: { email: 'jo@example.com' } });
    const verifyOtp = (otp: string) => call(`${app.url}/auth/verify-otp`, { body: { email: 'jo@example.com', otp } });
    return { ...app, provider, requestOtp, verifyOtp };
  };

  it('is 502, and the log says why; neither tells of the code or the address, nor the answer of the provider’s words', async () => {
    const { requestOtp, provider, logged } = await start();
    const answer = await requestOtp();
    expect(answer.status).toBe(502);
    expect(answer.body).toMatchObject({ code: 'delivery_failed', status: 502 });
    const answered = answer.text + JSON.stringify(answer.headers);
    expect(answered).not.toContain('mailbox');
    expect(logged.join('\n')).toContain('no such mailbox');
    for (const secret of [provider.sent[0] ?? '', 'jo@example.com'])
      expect(answered + logged.join('\n')).not.toContain(secret);
  });

  it('withdraws the code', async () => {
    const { requestOtp, verifyOtp, provider } = await start();
    await requestOtp();
    expect((await verifyOtp(provider.sent[0] ?? '')).body.code).toBe('invalid_otp');
  });

  it('lifts the cool-down, and counts against no limit', async () => {
    const { requestOtp, verifyOtp, provider } = await start({ limits: { sendsPerHour: 1, sendsPerDay: 1 } });
    expect([(await requestOtp()).status, (await requestOtp()).status]).toEqual([502, 502]);
    provider.refuses = false;
    expect((await requestOtp()).status).toBe(200);
    expect((await verifyOtp(provider.sent[2] ?? '')).status).toBe(200);
    expect((await requestOtp()).status).toBe(429);
  });

  it('is reported as otp.delivery_failed, not as otp.sent', async () => {
    const { requestOtp, auth } = await start();
    const names: string[] = [];
    for (const name of ['otp.requested', 'otp.sent', 'otp.delivery_failed'] as const)
      auth.events.on(name, () => names.push(name));
    await requestOtp();
    expect(names).toEqual(['otp.requested', 'otp.delivery_failed']);
  });

  it('withdraws the code after the answer too, with delivery in the background', async () => {
    const { requestOtp, verifyOtp, provider, auth } = await start({ delivery: 'background' });
    const failed = new Promise((resolve) => auth.events.once('otp.delivery_failed', resolve));
    const answer = await requestOtp();
    expect(answer.status).toBe(200);
    await failed;
    provider.refuses = false;
    // The withdrawal follows the event at once, and the store answers in order.
    expect((await verifyOtp(provider.sent[0] ?? '')).status).toBe(400);
    expect((await requestOtp()).status).toBe(200);
  });
});

describe('whatever stops a message from being sent', () => {
  const sent: string[] = [];
  const codeOf = ({ code }: { code: string }) => sent.push(code);

  it.each<[string, NonNullable<OtpAuthOptions['email']>]>([
    [
      'email.send throws',
      {
        send: () => {
          throw new Error('no');
        },
      },
    ],
    [
      'email.send throws nothing at all',
      {
        send: () => {
          throw undefined;
        },
      },
    ],
    ['email.send rejects', { send: async () => Promise.reject(new Error('no')) }],
    [
      'email.render throws',
      {
        render: (input) => {
          codeOf(input);
          throw new Error('no');
        },
        send: () => {},
      },
    ],
    ['email.render returns nothing', { render: (input) => void codeOf(input) as never, send: () => {} }],
    [
      'email.transport rejects',
      { send: undefined as never, transport: { sendMail: async () => Promise.reject(new Error('no')) } },
    ],
    [
      'email.transport is refused the recipient',
      { send: undefined as never, transport: { sendMail: async () => ({ rejected: [JO] }) } },
    ],
    ['no SMTP server is there', { send: undefined as never, smtp: { port: 1 } }],
  ])('leaves no live code behind: %s', async (_what, email) => {
    sent.length = 0;
    const render = (input: { code: string }) => {
      codeOf(input);
      return { subject: 'x', text: 'x', html: 'x' };
    };
    const { url } = await startAuthApp({ email: { render, ...email }, otp: { resendCooldownSeconds: 30 } });
    const ask = () => call(`${url}/auth/request-otp`, { body: { email: JO } });
    expect((await ask()).body.code).toBe('delivery_failed');
    for (const otp of sent)
      expect((await call(`${url}/auth/verify-otp`, { body: { email: JO, otp } })).body.code).toBe('invalid_otp');
    expect((await ask()).body.code).toBe('delivery_failed');
    expect(sent).toHaveLength(2);
  });
});

describe('delivery', () => {
  const start = async (delivery: 'await' | 'background', options: OtpAuthOptions = {}) => {
    let handOver = () => {};
    let refuse = () => {};
    let code = '';
    const handedOver = new Promise<void>((resolve, reject) => {
      handOver = resolve;
      refuse = () => reject(new Error('no'));
    });
    const send = ({ text }: { text: string }) => {
      code = /^\d{6}$/m.exec(text)?.[0] ?? '';
      return handedOver;
    };
    const app = await startAuthApp({ delivery, email: { send }, ...options });
    return { ...app, handOver, refuse, code: () => code };
  };

  it("'await' answers when the message was handed over", async () => {
    const { url, handOver } = await start('await');
    const answered = jest.fn();
    const answer = call(`${url}/auth/request-otp`, { body: { email: 'jo@example.com' } }).then(answered);
    // Another request on the same server, answered after the first one had reached it.
    await call(`${url}/auth/request-otp`, { body: {} });
    expect(answered).not.toHaveBeenCalled();
    handOver();
    await answer;
    expect(answered).toHaveBeenCalledWith(expect.objectContaining({ status: 200 }));
  });

  it("'await' keeps nobody waiting for a message that hangs, and the code works if it is taken later", async () => {
    const { url, handOver, auth, code } = await start('await', { storeTimeoutMs: 100 });
    const handedOver = new Promise((resolve) => auth.events.once('otp.sent', resolve));
    expect((await call(`${url}/auth/request-otp`, { body: { email: 'jo@example.com' } })).status).toBe(200);
    handOver();
    await handedOver;
    const body = { email: 'jo@example.com', otp: code() };
    expect((await call(`${url}/auth/verify-otp`, { body })).status).toBe(200);
  });

  it("'await' withdraws the code of a message that hung and then was refused", async () => {
    const { url, refuse, auth, code } = await start('await', {
      storeTimeoutMs: 100,
      otp: { resendCooldownSeconds: 30 },
    });
    const ask = () => call(`${url}/auth/request-otp`, { body: { email: 'jo@example.com' } });
    const failed = new Promise((resolve) => auth.events.once('otp.delivery_failed', resolve));
    expect((await ask()).status).toBe(200);
    expect((await ask()).status).toBe(429);
    refuse();
    await failed;
    const body = { email: 'jo@example.com', otp: code() };
    // The withdrawal follows the event at once, and the store answers in order.
    expect((await call(`${url}/auth/verify-otp`, { body })).body.code).toBe('invalid_otp');
    expect((await ask()).body.code).toBe('delivery_failed');
  });

  it("'background' answers at once", async () => {
    const { url, handOver } = await start('background');
    expect((await call(`${url}/auth/request-otp`, { body: { email: 'jo@example.com' } })).status).toBe(200);
    handOver();
  });
});
