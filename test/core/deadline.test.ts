import { createDeadline, withDeadline } from '../../src/core/deadline.js';
import type { Logger, Store } from '../../src/core/ports.js';
import { memoryStore } from '../../src/index.js';

const TIMEOUT_MS = 30;
const LEASE = { name: 'admins', holder: 'one', nowMs: 0, forMs: 60_000 };

describe('a store that is bounded in time', () => {
  const logged: string[] = [];
  const log = (text: unknown) => logged.push(String(text));
  const logger: Logger = { debug: log, info: log, warn: log, error: log };
  const bounded = (differences: Partial<Store> = {}) => {
    const store = { ...memoryStore(), ...differences };
    return withDeadline(store, createDeadline({ timeoutMs: TIMEOUT_MS, logger, advice: '' }), logger);
  };
  const UNAVAILABLE = { code: 'store_unavailable', details: { retryAfterSeconds: 1 } };

  beforeEach(() => logged.splice(0));

  it.each<[string, () => unknown]>([
    ['throws', () => fail('no')],
    ['rejects', () => Promise.reject(new Error('no'))],
    ['answers nothing', () => undefined],
    ['hangs', () => new Promise(() => {})],
  ])('answers store_unavailable, and logs it once, where the store %s', async (_what, answer) => {
    const store = bounded({ ping: answer as Store['ping'], isRevoked: answer as Store['isRevoked'] });
    await expect(store.ping()).rejects.toMatchObject(UNAVAILABLE);
    await expect(store.isRevoked({ userKeys: ['user'], issuedAtSeconds: 0, tokenId: 'a' })).rejects.toMatchObject(
      UNAVAILABLE,
    );
    expect(logged).toHaveLength(1);
  });

  it('gives back a lease that came too late, because nobody else would', async () => {
    const leases = memoryStore();
    let come = () => {};
    const late = new Promise<void>((resolve) => (come = resolve));
    const store = bounded({
      takeLease: async (request) => {
        await late;
        return leases.takeLease(request);
      },
      returnLease: (request) => leases.returnLease(request),
    });
    await expect(store.takeLease(LEASE)).rejects.toMatchObject(UNAVAILABLE);
    come();
    await new Promise((resolve) => setTimeout(resolve, 0));
    await expect(leases.takeLease({ ...LEASE, holder: 'other' })).resolves.toBe(true);
  });

  it.each([
    ['ECONNREFUSED', 0],
    ['ECONNRESET', 1],
  ])('undoes what may have been done, and nothing else: after %s', async (code, times) => {
    const withdrawCode = jest.fn(async () => {});
    const issueCode = () => Promise.reject(Object.assign(new Error('no'), { code }));
    await expect(bounded({ issueCode, withdrawCode }).issueCode({} as never)).rejects.toMatchObject(UNAVAILABLE);
    await new Promise(setImmediate);
    expect(withdrawCode).toHaveBeenCalledTimes(times);
  });
});

describe('a logger that throws', () => {
  it('takes nobody’s answer away', async () => {
    const { quietLogger } = await import('../../src/core/quiet-logger.js');
    const fails = () => fail('the disk is full');
    const logger = quietLogger({ debug: fails, info: fails, warn: fails, error: fails });
    const deadline = createDeadline({ timeoutMs: TIMEOUT_MS, logger, advice: '' });
    await expect(deadline(() => new Promise(() => {}))).rejects.toMatchObject({ code: 'store_unavailable' });
  });
});

function fail(message: string): never {
  throw new Error(message);
}
