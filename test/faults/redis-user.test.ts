import { readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import { generateSync } from 'otplib';
import { startAuthApp } from '../support/auth-app.js';
import { describeWithOwnRedis, startRedis } from '../support/redis.js';

/** The command in the guide, as it stands there. */
const [, rules = ''] = /^ACL SETUSER app (.+)$/m.exec(readFileSync('docs/redis.md', 'utf8')) ?? [];

describeWithOwnRedis('a Redis user who may do what docs/redis.md says', () => {
  it.each(['check', 'push'] as const)('can do all that the package does, with revocation: %s', async (revocation) => {
    const server = await startRedis();
    const admin = new Redis(server.url);
    await admin.call('ACL', 'SETUSER', 'app', ...rules.replace('>a-password', '>word').split(' '));
    const { auth, clock, lastCode, logged } = await startAuthApp({
      redis: server.url.replace('//', '//app:word@'),
      revocation,
      users: { store: 'redis' },
      totp: 'optional',
    });
    const { api } = auth;
    const email = 'jo@example.com';
    const requester = { ip: '192.0.2.7' };
    await api.requestOtp({ email }, requester);
    const first = await api.verifyOtp({ email, otp: lastCode(email) }, requester);
    const { id, sessionId } = await api.authenticate(first.accessToken);
    const { secret } = await api.enrollTotp(id);
    const code = generateSync({ secret, epoch: Math.floor(clock.now() / 1000) });
    await api.confirmTotp(id, { code, sessionId });
    await api.refresh({ refreshToken: first.refreshToken });
    await api.explain(email);
    await api.listUsers({ query: 'jo' });
    await api.updateUser(id, { roles: ['editor'] });
    await api.listSessions(id);
    await api.revokeUser(id);
    await api.deleteUser(id);
    expect((await auth.health()).ok).toBe(true);
    expect(logged).toEqual([]);
    expect(await admin.call('ACL', 'LOG')).toEqual([]);
    admin.disconnect();
  });
});
