import { setTimeout } from 'node:timers/promises';
import type { OtpAuthOptions } from '../../src/index.js';
import { freshRedis, redisUrl } from '../support/redis.js';
import { type SmtpFault, startSmtp, type TestSmtp } from '../support/smtp.js';
import { closeAfterFile } from '../support/closing.js';
import { type LossyProxy, startLossyProxy } from './proxy.js';
import { send } from './send.js';
import { startSurvivor, STORE_TIMEOUT_MS, survive, type Survivor } from './survive.js';

interface MailFault {
  /** Begins it, and says how it is ended. */
  begin: (smtp: TestSmtp, way: LossyProxy) => Promise<() => unknown>;
  /** Whether nobody says that anything is wrong. */
  isSilent?: boolean;
}

/** What a mail server does wrong, until it is stopped from doing so. */
const FAULTS: Record<string, MailFault> = {
  'is down': {
    begin: async (_smtp, way) => {
      await way.end();
      return () => way.start();
    },
  },
  'is too slow to take a message': { begin: faulty({ at: 'message', how: 'stall' }), isSilent: true },
  'cannot be reached, and nobody tells': {
    begin: async (_smtp, way) => {
      way.lose();
      return () => way.pass();
    },
    isSilent: true,
  },
  'hangs up at once': {
    begin: async (smtp) => {
      smtp.fail({ at: 'connection', how: 'hang-up' });
      await smtp.dropConnections();
      return () => smtp.fail(undefined);
    },
  },
  'refuses the recipient': { begin: faulty({ at: 'recipient', how: 'refuse' }) },
  'refuses the message': { begin: faulty({ at: 'message', how: 'refuse' }) },
  'hangs up in the middle of a message': { begin: faulty({ at: 'message', how: 'hang-up' }) },
};
const FAULT_MS = 3_000;

function faulty(fault: SmtpFault): MailFault['begin'] {
  return async (smtp) => {
    smtp.fail(fault);
    return () => smtp.fail(undefined);
  };
}

describe('a mail server', () => {
  let smtp: TestSmtp;
  let way: LossyProxy;

  beforeEach(async () => {
    await freshRedis();
    const started = await startSmtp();
    closeAfterFile(() => started.close());
    smtp = started;
    way = await startLossyProxy(smtp.port);
  });

  const start = (options: OtpAuthOptions = {}, timeoutMs?: number): Promise<Survivor> =>
    startSurvivor(
      { redis: redisUrl(), ...options, email: mailThrough(way, timeoutMs) },
      { alsoAllowed: ['502 delivery_failed'], lastCode: (to) => lastCode(smtp, to) },
    );

  it.each(Object.entries(FAULTS))('%s, under load', async (title, { begin, isSilent }) => {
    const survivors = {
      'delivery awaited': await start(),
      'in the background': await start({ delivery: 'background' }),
    };
    const survivals = await survive(`The mail server ${title}`, survivors, async () => {
      const stop = await begin(smtp, way);
      await setTimeout(FAULT_MS);
      await stop();
    });
    // Where nobody says that anything is wrong, people are not kept waiting for longer than for the store.
    if (!isSilent) expect(survivals['delivery awaited']?.answers.get('502 delivery_failed')).toBeGreaterThan(0);
    expect(survivals['in the background']?.answers.get('502 delivery_failed')).toBeUndefined();
  });

  describe.each([
    ['before the answer', 1_500],
    ['after it', STORE_TIMEOUT_MS + 1_500],
  ])('whose failure shows %s', (_when, timeoutMs) => {
    it.each(Object.entries(FAULTS))(
      '%s: the code is withdrawn, and whoever asked may ask again at once',
      async (_title, { begin, isSilent }) => {
        const redis = await freshRedis();
        const { url, app } = await start({ otp: { resendCooldownSeconds: 30 } }, timeoutMs);
        const ask = () => send(`${url}/auth/request-otp`, { body: { email: 'jo@example.com' } });
        const { events } = app.auth;
        const failed = new Promise((resolve) =>
          events.on('otp.delivery_failed', ({ identifier }) => resolve(identifier)),
        );

        const stop = await begin(smtp, way);
        const answer = await ask();
        const isLate = isSilent && timeoutMs > STORE_TIMEOUT_MS + 1_000;
        expect([answer.status, answer.body['code']]).toEqual(isLate ? [200, undefined] : [502, 'delivery_failed']);
        expect(await failed).toBe('j***@example.com');
        await until(async () => (await redis.keys('otp_*')).length === 0);
        await stop();
        expect((await ask()).status).toBe(200);
        expect((await ask()).status).toBe(429);
      },
    );
  });
});

function mailThrough({ port }: LossyProxy, timeoutMs?: number): NonNullable<OtpAuthOptions['email']> {
  // No function that catches the mails: these go the whole way.
  const smtp = { host: '127.0.0.1', port, ...(timeoutMs === undefined ? {} : { timeoutMs }) };
  return { send: undefined, smtp } as OtpAuthOptions['email'] & object;
}

function lastCode(smtp: TestSmtp, to: string): string | undefined {
  const mail = smtp.received.findLast((one) => one.to.includes(to));
  return /^\d{6}$/m.exec(mail?.parsed.text ?? '')?.[0];
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await setTimeout(5);
}
