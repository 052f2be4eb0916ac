import { setTimeout } from 'node:timers/promises';
import type { OtpAuthOptions } from '../../src/index.js';
import { freshRedis, redisUrl } from '../support/redis.js';
import { type SmtpFault, startSmtp, type TestSmtp } from '../support/smtp.js';
import { closeAfterFile } from '../support/closing.js';
import { type LossyProxy, startLossyProxy } from './proxy.js';
import { send } from './send.js';
import { startSurvivor, survive, type Survivor } from './survive.js';

/** What a mail server does wrong, until it is stopped from doing so. */
const FAULTS: Record<string, (smtp: TestSmtp, way: LossyProxy) => Promise<() => unknown>> = {
  'is down': async (_smtp, way) => {
    await way.end();
    return () => way.start();
  },
  'is too slow to take a message': async (smtp) => faulty(smtp, { at: 'message', how: 'stall' }),
  'cannot be reached, and nobody tells': async (_smtp, way) => {
    way.lose();
    return () => way.pass();
  },
  'refuses the recipient': async (smtp) => faulty(smtp, { at: 'recipient', how: 'refuse' }),
  'refuses the message': async (smtp) => faulty(smtp, { at: 'message', how: 'refuse' }),
  'hangs up in the middle of a message': async (smtp) => faulty(smtp, { at: 'message', how: 'hang-up' }),
};

function faulty(smtp: TestSmtp, fault: SmtpFault): () => void {
  smtp.fail(fault);
  return () => smtp.fail(undefined);
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

  const start = (options: OtpAuthOptions = {}): Promise<Survivor> =>
    startSurvivor(
      { redis: redisUrl(), ...options, email: mailThrough(way) },
      { alsoAllowed: ['502 delivery_failed'], lastCode: (to) => lastCode(smtp, to) },
    );

  it.each(Object.keys(FAULTS))('%s, under load', async (fault) => {
    const survivors = {
      'delivery awaited': await start(),
      'in the background': await start({ delivery: 'background' }),
    };
    const survivals = await survive(`The mail server ${fault}`, survivors, async () => {
      const stop = await FAULTS[fault]?.(smtp, way);
      await setTimeout(1_800);
      await stop?.();
    });
    expect(survivals['delivery awaited']?.answers.get('502 delivery_failed')).toBeGreaterThan(0);
    expect(survivals['in the background']?.answers.get('502 delivery_failed')).toBeUndefined();
  });

  it.each(Object.keys(FAULTS))('%s: the code is withdrawn, and whoever asked may ask again at once', async (fault) => {
    const redis = await freshRedis();
    const { url, app } = await start({ otp: { resendCooldownSeconds: 30 } });
    const ask = () => send(`${url}/auth/request-otp`, { body: { email: 'jo@example.com' } });
    const failed: string[] = [];
    app.auth.events.on('otp.delivery_failed', ({ identifier }) => failed.push(String(identifier)));

    const stop = await FAULTS[fault]?.(smtp, way);
    const answer = await ask();
    expect([answer.status, answer.body['code']]).toEqual([502, 'delivery_failed']);
    expect(failed).toEqual(['j***@example.com']);
    expect(await redis.keys('otp_*')).toEqual([]);
    await stop?.();
    expect((await ask()).status).toBe(200);
    expect((await ask()).status).toBe(429);
  });
});

/** Whoever waits for the mail server waits no longer than for the store. */
function mailThrough({ port }: LossyProxy): NonNullable<OtpAuthOptions['email']> {
  // No function that catches the mails: these go the whole way.
  return { send: undefined, smtp: { host: '127.0.0.1', port, timeoutMs: 1_500 } } as OtpAuthOptions['email'] & object;
}

function lastCode(smtp: TestSmtp, to: string): string | undefined {
  const mail = smtp.received.findLast((one) => one.to.includes(to));
  return /^\d{6}$/m.exec(mail?.parsed.text ?? '')?.[0];
}
