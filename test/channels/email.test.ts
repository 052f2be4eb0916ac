import { createTransport } from 'nodemailer';
import { emailChannel, type EmailSettings, type SmtpSettings } from '../../src/channels/email.js';
import type { Channel, Logger, Message } from '../../src/core/ports.js';
import type { OutgoingEmail, RenderedEmail, RenderInput } from '../../src/options.js';
import { startSmtp, type SmtpFault, type SmtpOptions, type TestSmtp } from '../support/smtp.js';

const opened: { close(): Promise<void> }[] = [];

// Channels before the servers that they talk to.
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

async function openSmtp(options?: SmtpOptions): Promise<TestSmtp> {
  const smtp = await startSmtp(options);
  opened.push(smtp);
  return smtp;
}

interface Changes extends Partial<Omit<EmailSettings, 'smtp'>> {
  smtp?: Partial<SmtpSettings>;
}

function openChannel(server: Pick<TestSmtp, 'host' | 'port'>, { smtp, ...changes }: Changes = {}): Channel {
  const channel = emailChannel(
    {
      from: 'no-reply@example.com',
      fromName: 'Express App',
      smtp: { host: server.host, port: server.port, secure: false, pool: 20, timeoutMs: 10_000, ...smtp },
      ...changes,
    },
    { logger: silent },
  );
  opened.push(channel);
  return channel;
}

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };

const nowhere = { host: '127.0.0.1', port: 1 };

function message(changes: Partial<Message> = {}): Message {
  return { to: 'jane@example.com', code: '012345', expiresInMinutes: 5, locale: 'en', purpose: 'sign-in', ...changes };
}

async function failureOf(promise: Promise<void>): Promise<Error & { code?: string; responseCode?: number }> {
  const outcome = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(outcome instanceof Error)) throw new Error('Expected the message to be refused');
  return outcome;
}

describe('a message over SMTP', () => {
  it('arrives as text and HTML, from the address and the name that are configured', async () => {
    const smtp = await openSmtp();
    await openChannel(smtp).send(message());

    const [mail] = smtp.received;
    expect(smtp.received).toHaveLength(1);
    expect(mail).toMatchObject({ from: 'no-reply@example.com', to: ['jane@example.com'], username: undefined });
    expect(mail?.parsed.from?.value).toEqual([{ name: 'Express App', address: 'no-reply@example.com' }]);
    expect(mail?.parsed.to).toMatchObject({ value: [{ name: '', address: 'jane@example.com' }] });
    expect(mail?.parsed.subject).toBe('012345 is your Express App sign-in code');
    expect(mail?.parsed.headers.get('content-type')).toMatchObject({ value: 'multipart/alternative' });
    expect(mail?.parsed.text).toContain('expires in 5 minutes');
    expect(mail?.parsed.html).toContain('>012345<');
    expect(mail?.parsed.attachments).toEqual([]);
    expect(smtp.lastCode('jane@example.com')).toBe('012345');
  });

  it('keeps From apart from the SMTP login', async () => {
    const login = { username: 'mailer@provider.example', password: 'secret' };
    const smtp = await openSmtp({ login });
    await openChannel(smtp, { smtp: login, from: 'hello@shop.example', fromName: 'Shop' }).send(message());
    expect(smtp.received[0]).toMatchObject({ from: 'hello@shop.example', username: 'mailer@provider.example' });
    expect(smtp.received[0]?.parsed.from?.value).toEqual([{ name: 'Shop', address: 'hello@shop.example' }]);
  });

  it('is marked as automatic, without suppressing bounces and without naming the mailer', async () => {
    const smtp = await openSmtp();
    await openChannel(smtp).send(message());
    const headers = smtp.received[0]!.parsed.headers;
    expect(headers.get('auto-submitted')).toBe('auto-generated');
    expect(headers.get('x-auto-response-suppress')).toBe('OOF, AutoReply');
    expect(headers.has('x-mailer')).toBe(false);
    expect(headers.has('otp-token')).toBe(false);
  });

  it('is written in the language of the request', async () => {
    const smtp = await openSmtp();
    const channel = openChannel(smtp);
    await channel.send(message({ to: 'a@example.com', locale: 'fa-IR' }));
    await channel.send(message({ to: 'b@example.com', locale: 'sl', purpose: 'change-identifier' }));
    const [persian, slovenian] = smtp.received;
    expect(persian?.parsed.subject).toContain('کد ورود شما');
    expect(persian?.parsed.html).toContain('dir="rtl"');
    expect(smtp.lastCode('a@example.com')).toBe('012345');
    expect(slovenian?.parsed.text).toContain('Potrdite svoj novi naslov');
  });

  it('is written by email.render where there is one', async () => {
    const smtp = await openSmtp();
    const asked: RenderInput[] = [];
    const channel = openChannel(smtp, {
      fromName: 'Shop',
      render: async (input) => {
        asked.push(input);
        return { subject: 'Own\r\nBcc: eve@example.com', text: 'own text 4711', html: '<p>own html</p>' };
      },
    });
    await channel.send(message({ locale: 'de-AT' }));
    expect(asked).toEqual([
      { code: '012345', expiresInMinutes: 5, appName: 'Shop', locale: 'de-AT', purpose: 'sign-in' },
    ]);
    const { parsed, to } = smtp.received[0]!;
    expect(parsed.subject).toBe('Own Bcc: eve@example.com');
    expect(parsed.text?.trim()).toBe('own text 4711');
    expect(parsed.html).toContain('own html');
    expect(to).toEqual(['jane@example.com']);
  });
});

describe('connections', () => {
  it('are pooled: ten messages at once share the connections allowed', async () => {
    const smtp = await openSmtp();
    const channel = openChannel(smtp, { smtp: { pool: 3 } });
    const recipients = Array.from({ length: 10 }, (_, index) => `user${index}@example.com`);
    await Promise.all(recipients.map((to) => channel.send(message({ to }))));
    expect(smtp.received.flatMap(({ to }) => to).sort()).toEqual(recipients);
    expect(smtp.connections.opened).toBeGreaterThan(1);
    expect(smtp.connections.opened).toBeLessThanOrEqual(3);
  });

  it('are used again: one after the other needs one', async () => {
    const smtp = await openSmtp();
    const channel = openChannel(smtp);
    for (let count = 0; count < 5; count += 1) await channel.send(message());
    expect(smtp.received).toHaveLength(5);
    expect(smtp.connections.opened).toBe(1);
  });

  it('are not opened, and Nodemailer is not loaded, before the first message', async () => {
    await jest.isolateModulesAsync(async () => {
      const load = jest.fn(() => jest.requireActual<object>('nodemailer'));
      jest.doMock('nodemailer', load);
      const isolated = await import('../../src/channels/email.js');
      const smtp = await openSmtp();
      const settings = { host: smtp.host, port: smtp.port, secure: false, pool: 20, timeoutMs: 10_000 };
      const channel = isolated.emailChannel(
        { from: 'no-reply@example.com', fromName: 'Express App', smtp: settings },
        { logger: silent },
      );
      opened.push(channel);
      expect(load).not.toHaveBeenCalled();
      expect(smtp.connections.opened).toBe(0);
      await Promise.all([channel.send(message()), channel.send(message())]);
      expect(load).toHaveBeenCalledTimes(1);
      jest.dontMock('nodemailer');
    });
  });

  it('that the server closed while they were idle do not fail the next message', async () => {
    const smtp = await openSmtp();
    const channel = openChannel(smtp);
    await channel.send(message());
    await smtp.dropConnections();
    await channel.send(message({ code: '222222' }));
    expect(smtp.lastCode('jane@example.com')).toBe('222222');
    expect(smtp.connections.opened).toBe(2);
  });

  it('that break when they are used again do not fail the message, and deliver it once', async () => {
    const smtp = await openSmtp();
    const channel = openChannel(smtp);
    await channel.send(message());
    smtp.fail({ at: 'next-mail', how: 'hang-up' });
    await channel.send(message({ code: '222222' }));
    expect(smtp.received.map(({ parsed }) => parsed.text?.match(/^\d{6}$/m)?.[0])).toEqual(['012345', '222222']);
  });

  it('survive a refused recipient', async () => {
    const smtp = await openSmtp();
    const channel = openChannel(smtp);
    smtp.fail({ at: 'recipient', how: 'refuse' });
    await failureOf(channel.send(message()));
    smtp.fail(undefined);
    await channel.send(message());
    expect(smtp.received).toHaveLength(1);
  });
});

describe('SMTP login', () => {
  const login = { username: 'mailer', password: 'correct-password' };

  it('is made with the name and password configured', async () => {
    const smtp = await openSmtp({ login });
    await openChannel(smtp, { smtp: login }).send(message());
    expect(smtp.received[0]?.username).toBe('mailer');
  });

  it.each([
    ['a wrong password', { username: 'mailer', password: 'wrong-password' }],
    ['no password', { username: 'mailer' }],
  ])('fails the message with %s, and the error does not hold it', async (_, wrong) => {
    const smtp = await openSmtp({ login });
    const error = await failureOf(openChannel(smtp, { smtp: wrong }).send(message()));
    expect(error.code).toBe('EAUTH');
    expect(error.message).not.toMatch(/wrong-password|d3Jvbmc/);
    expect(smtp.received).toEqual([]);
  });

  it('fails the message where the server demands one and none is configured', async () => {
    const smtp = await openSmtp({ login });
    const error = await failureOf(openChannel(smtp).send(message()));
    expect(error.responseCode).toBe(530);
    expect(smtp.received).toEqual([]);
  });

  it.each<[string, Partial<SmtpSettings>, number]>([
    ['STARTTLS where offered, to another machine', { host: 'mail.example.com', secure: false }, 1],
    ['STARTTLS where offered, to this machine', { host: '127.0.0.1', secure: false }, 0],
    ['STARTTLS or fail', { host: 'mail.example.com', secure: 'required' }, 0],
    ['TLS from the start', { host: 'mail.example.com', secure: true }, 0],
  ])('over %s: warns only if the password could be read on the way', (_, smtp, warnings) => {
    const warn = jest.fn();
    const settings = { port: 587, secure: false, pool: 1, timeoutMs: 1_000, ...login, host: '', ...smtp } as const;
    emailChannel({ from: 'a@example.com', fromName: 'A', smtp: settings }, { logger: { ...silent, warn } });
    expect(warn).toHaveBeenCalledTimes(warnings);
    expect(JSON.stringify(warn.mock.calls)).not.toContain('correct-password');
  });
});

describe('TLS', () => {
  const login = { username: 'mailer', password: 'secret' };

  it('from the start protects the whole session', async () => {
    const smtp = await openSmtp({ tls: 'from-start', login });
    const channel = openChannel(smtp, { smtp: { secure: true, tls: { ca: smtp.certificate }, ...login } });
    await channel.send(message());
    expect(smtp.received[0]).toMatchObject({ encrypted: true, username: 'mailer' });
  });

  it('from the start fails on a server that speaks plain SMTP', async () => {
    const smtp = await openSmtp();
    await failureOf(openChannel(smtp, { smtp: { secure: true } }).send(message()));
    expect(smtp.received).toEqual([]);
  });

  it('by STARTTLS is used where it is offered', async () => {
    const smtp = await openSmtp({ tls: 'starttls', login });
    await openChannel(smtp, { smtp: { secure: false, tls: { ca: smtp.certificate }, ...login } }).send(message());
    expect(smtp.received[0]).toMatchObject({ encrypted: true, username: 'mailer' });
  });

  it('by STARTTLS is done without where it is not offered, unless it is required', async () => {
    const smtp = await openSmtp();
    await openChannel(smtp, { smtp: { secure: false } }).send(message());
    expect(smtp.received[0]?.encrypted).toBe(false);

    const error = await failureOf(openChannel(smtp, { smtp: { secure: 'required' } }).send(message()));
    expect(error.code).toBe('ETLS');
    expect(smtp.received).toHaveLength(1);
  });

  it('by STARTTLS is used where it is required and offered', async () => {
    const smtp = await openSmtp({ tls: 'starttls' });
    await openChannel(smtp, { smtp: { secure: 'required', tls: { ca: smtp.certificate } } }).send(message());
    expect(smtp.received[0]?.encrypted).toBe(true);
  });

  it.each<[SmtpOptions['tls'] & string, Partial<SmtpSettings>]>([
    ['from-start', { secure: true }],
    ['starttls', { secure: 'required' }],
    // The address of this machine that is not a loopback address by its looks: what any other host would get.
    ['starttls', { secure: false, host: '0.0.0.0' }],
    ['starttls', { secure: false, tls: { rejectUnauthorized: true } }],
  ])('%s with %j refuses a certificate that nobody vouches for', async (tls, settings) => {
    const smtp = await openSmtp({ tls });
    const error = await failureOf(openChannel(smtp, { smtp: settings }).send(message()));
    expect(error.message).toMatch(/self-signed certificate/);
    expect(smtp.received).toEqual([]);
  });

  it('takes the certificate of a relay on this machine as it is, where TLS is opportunistic', async () => {
    const smtp = await openSmtp({ tls: 'starttls' });
    await openChannel(smtp, { smtp: { secure: false } }).send(message());
    expect(smtp.received[0]?.encrypted).toBe(true);
  });
});

describe('a message that is not taken', () => {
  it.each<SmtpFault>([
    { at: 'connection', how: 'refuse' },
    { at: 'connection', how: 'hang-up' },
    { at: 'recipient', how: 'refuse' },
    { at: 'recipient', how: 'hang-up' },
    { at: 'message', how: 'refuse' },
    { at: 'message', how: 'hang-up' },
  ])('rejects: $at, $how', async (fault) => {
    const smtp = await openSmtp();
    smtp.fail(fault);
    const error = await failureOf(openChannel(smtp).send(message()));
    expect(error.code).toEqual(expect.any(String));
    expect(error.responseCode).toBe(fault.how === 'refuse' ? 550 : undefined);
    expect(smtp.received).toEqual([]);
  });

  it.each<SmtpFault['at']>(['connection', 'recipient', 'message'])(
    'rejects within the time set where the server stalls at the %s',
    async (at) => {
      const smtp = await openSmtp();
      smtp.fail({ at, how: 'stall' });
      const error = await failureOf(openChannel(smtp, { smtp: { timeoutMs: 100 } }).send(message()));
      expect(error.code).toBe('ETIMEDOUT');
      // What hangs is not kept: the connection is closed, and the pool has its place free again.
      await smtp.untilDisconnected();
    },
  );

  it('rejects within the time set where every connection of the pool hangs, and goes on when they answer', async () => {
    const smtp = await openSmtp();
    const channel = openChannel(smtp, { smtp: { pool: 2, timeoutMs: 300 } });
    smtp.fail({ at: 'recipient', how: 'stall' });
    const errors = await Promise.all(Array.from({ length: 5 }, () => failureOf(channel.send(message()))));
    expect(errors.map(({ code }) => code)).toEqual(Array(5).fill('ETIMEDOUT'));
    smtp.fail(undefined);
    await channel.send(message());
    expect(smtp.received).toHaveLength(1);
  });

  it('rejects where no server listens', async () => {
    const gone = await startSmtp();
    await gone.close();
    const error = await failureOf(openChannel(gone).send(message()));
    expect(error.message).toContain('ECONNREFUSED');
  });

  it('rejects where the sender or the provider never answers', async () => {
    const never = new Promise<never>(() => {});
    const smtp = { timeoutMs: 50 };
    const bySend = openChannel(nowhere, { smtp, send: () => never });
    const byTransport = openChannel(nowhere, { smtp, transport: { sendMail: () => never } });
    const byRender = openChannel(nowhere, { smtp, render: () => never });
    for (const channel of [bySend, byTransport, byRender]) {
      expect((await failureOf(channel.send(message()))).code).toBe('ETIMEDOUT');
    }
  });

  it('leaves an error without the code and without an address, cause included', async () => {
    const channel = openChannel(nowhere, {
      send: (mail) => Promise.reject(new Error(`<Jane@Example.com> refused: ${JSON.stringify(mail)}`, { cause: mail })),
    });
    const error = await failureOf(channel.send(message()));
    expect(error.message).toContain('<[address]> refused');
    expect(error.message).toContain('[code] is your Express App sign-in code');
    expect(`${error.stack} ${JSON.stringify(error)} ${String(error.cause)}`).not.toMatch(/012345|jane@|example\.com/i);
  });

  it.each([undefined, null, 'out of order', { message: 'no Error' }])(
    'survives that a provider throws %j',
    async (thrown) => {
      const channel = openChannel(nowhere, {
        send: () => {
          throw thrown;
        },
      });
      await failureOf(channel.send(message()));
    },
  );
});

describe('what could become another recipient or another header', () => {
  it.each([
    'a@example.com, b@example.com',
    'a@example.com;b@example.com',
    'a@example.com\r\nBcc: b@example.com',
    'a@example.com>\r\nRCPT TO:<b@example.com',
    'Jane <a@example.com>',
    'friends: a@example.com;',
    '"a b"@example.com',
    'a@example.com(b@example.com)',
    'a@b@example.com',
    'a@example.com\u0000',
    'ä@example.com',
    '',
  ])('refuses the recipient %j before anything is sent', async (to) => {
    const smtp = await openSmtp();
    await failureOf(openChannel(smtp).send(message({ to })));
    expect(smtp.connections.opened).toBe(0);
  });

  it.each(['a@example.com, b@example.com', 'Shop <a@example.com>', 'a@example.com\nBcc: b@example.com', 'nobody'])(
    'refuses the sender %j at start-up',
    (from) => expect(() => openChannel(nowhere, { from })).toThrow(TypeError),
  );

  it.each([
    'Shop, Ltd. <evil@example.com>',
    '"Quoted" \\ and (commented)',
    'Übergrößen – מתכון 🧁',
    'a: b@example.com;',
    ' ',
  ])('keeps the name %j a name', async (fromName) => {
    const smtp = await openSmtp();
    await openChannel(smtp, { fromName }).send(message());
    const { parsed, from, to } = smtp.received[0]!;
    expect(parsed.from?.value).toEqual([{ name: fromName.trim(), address: 'no-reply@example.com' }]);
    expect({ from, to }).toEqual({ from: 'no-reply@example.com', to: ['jane@example.com'] });
    expect(parsed.subject).toContain(fromName.trim());
  });

  it('makes one line of a name with line breaks', async () => {
    const smtp = await openSmtp();
    await openChannel(smtp, { fromName: 'Shop\r\nBcc: eve@example.com\r\n\r\n<script>' }).send(message());
    const { parsed, raw, to } = smtp.received[0]!;
    expect(to).toEqual(['jane@example.com']);
    expect(parsed.headers.has('bcc')).toBe(false);
    expect(raw.slice(0, raw.indexOf('\r\n\r\n'))).not.toMatch(/^Bcc:/im);
    expect(parsed.from?.value[0]?.name).toBe('Shop Bcc: eve@example.com <script>');
    expect(parsed.html).toContain('&lt;script&gt;');
    expect(parsed.html).not.toContain('<script>');
  });

  it('makes one line of the subject that email.render returns, for email.send too', async () => {
    const sent: OutgoingEmail[] = [];
    const render = (): RenderedEmail => ({ subject: 'a\r\nBcc: eve@example.com', text: 'b', html: 'c' });
    await openChannel(nowhere, { render, send: (mail) => sent.push(mail) }).send(message());
    expect(sent[0]?.subject).toBe('a Bcc: eve@example.com');
  });

  it('reads no file and no address that email.render names, and hands none on', async () => {
    const smtp = await openSmtp();
    const send = jest.fn();
    const render = (): never =>
      ({ subject: 'x', text: { path: __filename }, html: { href: 'http://127.0.0.1:1' } }) as never;
    await failureOf(openChannel(smtp, { render }).send(message()));
    await failureOf(openChannel(smtp, { render, send }).send(message()));
    expect(smtp.received).toEqual([]);
    expect(send).not.toHaveBeenCalled();
  });
});

describe('a way out of the application’s own', () => {
  it('email.send gets the message whole, and nothing else is opened', async () => {
    const smtp = await openSmtp();
    const sent: OutgoingEmail[] = [];
    const transport = { sendMail: () => Promise.reject(new Error('not this one')) };
    const channel = openChannel(smtp, { transport, send: (mail) => sent.push(mail) });
    await channel.send(message({ locale: 'fr', purpose: 'change-identifier' }));
    expect(sent).toEqual([
      {
        to: 'jane@example.com',
        from: { name: 'Express App', address: 'no-reply@example.com' },
        subject: '012345 confirme votre nouvelle adresse pour Express App',
        text: expect.stringContaining('012345') as string,
        html: expect.stringContaining('lang="fr"') as string,
        locale: 'fr',
        purpose: 'change-identifier',
      },
    ]);
    expect(smtp.connections.opened).toBe(0);
  });

  it('email.transport takes a Nodemailer transporter, and is left open', async () => {
    const smtp = await openSmtp();
    const transport = createTransport({ pool: true, host: smtp.host, port: smtp.port });
    opened.push({ close: async () => transport.close() });
    const channel = openChannel(nowhere, { transport });
    await channel.send(message());
    expect(smtp.lastCode('jane@example.com')).toBe('012345');
    await channel.close();
    await transport.sendMail({ from: 'a@example.com', to: 'b@example.com', text: 'still open' });
    expect(smtp.received).toHaveLength(2);
    expect(smtp.connections.opened).toBe(1);
  });

  it('email.transport that reports the recipient as refused is a failure', async () => {
    const transport = { sendMail: async () => ({ accepted: [], rejected: ['jane@example.com'] }) };
    const error = await failureOf(openChannel(nowhere, { transport }).send(message()));
    expect(error.code).toBe('EENVELOPE');
  });
});

describe('close', () => {
  it('waits for the messages on their way, closes the connections, and takes no more', async () => {
    const smtp = await openSmtp();
    const channel = openChannel(smtp, { smtp: { pool: 1 } });
    const sending = Promise.all([channel.send(message()), channel.send(message()), channel.send(message())]);
    await channel.close();
    await sending;
    expect(smtp.received).toHaveLength(3);
    await smtp.untilDisconnected();
    await failureOf(channel.send(message()));
    expect(smtp.connections.opened).toBe(1);
  });

  it('ends a way out of the application’s own as well', async () => {
    const send = jest.fn();
    const channel = openChannel(nowhere, { send });
    await channel.close();
    await failureOf(channel.send(message()));
    expect(send).not.toHaveBeenCalled();
  });

  it('can be called twice, and before anything was sent', async () => {
    const channel = openChannel(nowhere);
    await channel.close();
    await channel.close();
  });
});

describe('the test server', () => {
  it('waits for a mail that is still to come', async () => {
    const smtp = await openSmtp();
    const waiting = smtp.waitFor('jane@example.com', 2);
    const channel = openChannel(smtp);
    await channel.send(message());
    await channel.send(message({ code: '222222' }));
    expect((await waiting).parsed.text).toContain('222222');
    expect(() => smtp.lastCode('nobody@example.com')).toThrow('No mail');
  });
});
