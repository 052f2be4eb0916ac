import { emailChannel } from '../../src/channels/email.js';
import { smsChannel } from '../../src/channels/sms.js';
import type { Logger } from '../../src/core/ports.js';
import type { OutgoingEmail, OutgoingSms } from '../../src/options.js';
import { closeAfterFile } from '../support/closing.js';
import { startSmtp } from '../support/smtp.js';

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };

describe('a notice', () => {
  const notice = { to: 'jane@example.com', kind: 'identifier_changed', locale: 'en' } as const;
  const settings = { from: 'no-reply@example.com', fromName: 'Express App' };

  it('goes out by SMTP, in the words of its kind', async () => {
    const smtp = await startSmtp();
    closeAfterFile(() => smtp.close());
    const smtpSettings = { host: smtp.host, port: smtp.port, secure: false, pool: 1, timeoutMs: 10_000 };
    const channel = emailChannel({ ...settings, smtp: smtpSettings }, { logger: silent });
    await channel.notify!(notice);
    await channel.close();
    expect(smtp.received.map(({ to }) => to)).toEqual([['jane@example.com']]);
    expect(smtp.received[0]?.parsed.subject).toBe('The address that you sign in to Express App with was changed');
    expect(smtp.received[0]?.parsed.text).toContain('If that was not you, contact Express App at once.');
  });

  it('goes to the function that sends, with its kind as the purpose', async () => {
    const mails: OutgoingEmail[] = [];
    const smtp = { host: '127.0.0.1', port: 1, secure: false, pool: 1, timeoutMs: 10_000 };
    const render = () => ({ subject: 'a code', text: 'a code', html: 'a code' });
    const send = (mail: OutgoingEmail) => mails.push(mail);
    const channel = emailChannel({ ...settings, smtp, send, render }, { logger: silent });
    await channel.notify!({ ...notice, kind: 'totp_disabled', locale: 'de' });
    expect(mails).toMatchObject([{ to: 'jane@example.com', purpose: 'totp_disabled', locale: 'de' }]);
    expect(mails[0]?.subject).toMatch(/Anmeldung in zwei Schritten/);
  });

  it('rejects where it was not taken, and quotes no address', async () => {
    const smtp = { host: '127.0.0.1', port: 1, secure: false, pool: 1, timeoutMs: 10_000 };
    const send = () => Promise.reject(new Error('no mailbox jane@example.com'));
    const channel = emailChannel({ ...settings, smtp, send }, { logger: silent });
    await expect(channel.notify!(notice)).rejects.toThrow(/^no mailbox \[address\]$/);
  });

  it('goes by SMS on one line, and without a code', async () => {
    const texts: OutgoingSms[] = [];
    const channel = smsChannel({
      send: (sms) => texts.push(sms),
      origin: 'https://app.example.com',
      appName: 'Express App',
      timeoutMs: 10_000,
    });
    await channel.notify!({ ...notice, to: '+4915112345678' });
    expect(texts).toEqual([
      {
        to: '+4915112345678',
        text: 'The address that you sign in to Express App with was changed. If that was not you, contact Express App at once.',
        code: '',
        locale: 'en',
      },
    ]);
  });
});
