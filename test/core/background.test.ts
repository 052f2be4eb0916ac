import { createBackground } from '../../src/core/background.js';
import { createNotify } from '../../src/core/notify.js';
import type { Channel, Logger, Notice } from '../../src/core/ports.js';

describe('work in the background', () => {
  it('begins after what called for it has gone on, and is waited for at the end', async () => {
    const background = createBackground({ spreadMs: 0 });
    const steps: string[] = [];
    background.run(async () => {
      steps.push('began');
      await new Promise(setImmediate);
      steps.push('done');
    });
    await Promise.resolve();
    steps.push('answered');
    await background.settle();
    expect(steps).toEqual(['answered', 'began', 'done']);
  });

  it('is not waited for until its time where all is to end', async () => {
    const background = createBackground({ spreadMs: 3_600_000 });
    let done = 0;
    for (let time = 0; time < 10; time += 1) background.run(async () => (done += 1));
    await background.settle();
    expect(done).toBe(10);
  });

  it('disturbs nobody when it fails, nor what it called for itself', async () => {
    const background = createBackground({ spreadMs: 0 });
    let second = false;
    background.run(async () => {
      background.run(async () => {
        second = true;
      });
      throw new Error('nobody hears of this');
    });
    await background.settle();
    expect(second).toBe(true);
  });
});

describe('notifying', () => {
  const warnings: unknown[] = [];
  const logger: Logger = { debug() {}, info() {}, warn: (warning) => warnings.push(warning), error() {} };
  const channelThat = (notify?: Channel['notify']): Channel => ({
    send: async () => {},
    close: async () => {},
    ...(notify && { notify }),
  });
  const notifyBy = async (email: Channel) => {
    const background = createBackground({ spreadMs: 0 });
    const notify = createNotify({ channels: { email, phone: undefined }, background, logger });
    notify({ kind: 'email', value: 'jane@example.com' }, 'identifier_changed', 'de');
    notify({ kind: 'phone', value: '+4915112345678' }, 'identifier_changed', 'de');
    await background.settle();
  };

  beforeEach(() => warnings.splice(0));

  it('reaches an address by its channel', async () => {
    const notices: Notice[] = [];
    await notifyBy(channelThat(async (notice) => void notices.push(notice)));
    expect(notices).toEqual([{ to: 'jane@example.com', kind: 'identifier_changed', locale: 'de' }]);
    expect(warnings).toEqual([]);
  });

  it('tells nobody where a channel knows no notices', async () => {
    await notifyBy(channelThat());
    expect(warnings).toEqual([]);
  });

  it('warns where it could not be sent, and names no whole address', async () => {
    await notifyBy(channelThat(() => Promise.reject(new Error('jane@example.com is full'))));
    expect(warnings).toEqual([
      "express-otp-auth: the notice 'identifier_changed' for j***@example.com could not be sent",
    ]);
  });
});
