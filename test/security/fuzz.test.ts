import { generateKeyPairSync } from 'node:crypto';
import express from 'express';
import { otpAuth, type OtpAuthOptions } from '../../src/index.js';
import { describeOnEachStore } from '../support/each-store.js';
import { fuzz, summaryOf } from './fuzz-run.js';
import { startTarget } from './fuzz-target.js';

/** On each store. */
const REQUESTS = 10_200;
const SEED = Number(process.env['FUZZ_SEED'] ?? 20_261_121);

describeOnEachStore('hostile requests', (stored) => {
  it('get the contract’s answers, learn nothing, and leave everything working', async () => {
    const rejections: unknown[] = [];
    const note = (reason: unknown) => rejections.push(reason);
    process.on('unhandledRejection', note);
    process.on('uncaughtException', note);
    const options = withMore(stored());
    const target = await startTarget({ otpAuth, express }, options, { parsesFirst: typeof options.redis === 'string' });
    try {
      const report = await fuzz(target, { seed: SEED, requests: REQUESTS });
      process.stdout.write(`fuzz, ${summaryOf(report)}\n`);
      expect(report.findings.slice(0, 3).join('\n')).toBe('');
      expect(report.requests).toBe(REQUESTS);
      expect([...report.routes].sort()).toEqual(
        target.surface.routes.map(({ method, path }) => `${method} ${path}`).sort(),
      );
      expect(rejections).toEqual([]);
      expect(({} as Record<string, unknown>)['isAdmin']).toBeUndefined();

      const { accessToken, refreshToken } = await target.signIn({ email: 'a-new-person@example.com' });
      expect((await target.auth.api.authenticate(accessToken)).roles).toEqual(['user']);
      await expect(target.auth.api.refresh({ refreshToken })).resolves.toBeDefined();
    } finally {
      process.off('unhandledRejection', note);
      process.off('uncaughtException', note);
      await target.close();
    }
  }, 120_000);
});

/** Redis for whatever can be kept there, and what differs in other ways as well. */
function withMore(options: OtpAuthOptions): OtpAuthOptions {
  if (typeof options.redis !== 'string') return options;
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return {
    ...options,
    revocation: 'push',
    users: { store: 'redis' },
    jwt: { algorithm: 'ES256', privateKey: pem },
  };
}
