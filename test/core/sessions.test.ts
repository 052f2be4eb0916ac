import { memoryStore } from '../../src/index.js';
import { fakeClock, startAuthApp } from '../support/auth-app.js';
import { call } from '../support/call.js';

const JO = 'jo@example.com';

describe('a token of a session that is revoked while the store takes its time to refresh it', () => {
  it('is dead for as long as it lives', async () => {
    const clock = fakeClock();
    const store = memoryStore({ clock });
    const slow: typeof store = {
      ...store,
      async rotateSession(request) {
        const rotation = await store.rotateSession(request);
        await app.auth.api.revokeSession(JO, request.sessionId);
        clock.advanceSeconds(30);
        return rotation;
      },
    };
    const app = await startAuthApp({ store: slow, jwt: { accessTokenMinutes: 5 } }, clock);
    const { refreshToken } = await app.signIn(JO);
    const { accessToken } = await app.auth.api.refresh({ refreshToken });
    const me = async () =>
      (await call(`${app.url}/me`, { method: 'GET', headers: { Authorization: `Bearer ${accessToken}` } })).status;
    expect(await me()).toBe(401);
    // The revocation lives no longer than this.
    clock.advanceSeconds(5 * 60 - 30);
    expect(await me()).toBe(401);
  });
});
