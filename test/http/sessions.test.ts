import request from 'supertest';
import type { OtpAuthEvent, OtpAuthOptions } from '../../src/index.js';
import { type AuthApp, type SignedIn, startAuthApp } from '../support/auth-app.js';
import { freshRedis, redisUrl } from '../support/redis.js';

const DAY_SECONDS = 86_400;

describe.each(['memory:', 'Redis'])('sessions, on %s', (where) => {
  let running: AuthApp;
  const start = async (options: OtpAuthOptions = {}) => {
    if (where === 'Redis') await freshRedis();
    running = await startAuthApp({ ...options, redis: where === 'Redis' ? redisUrl() : where });
    return running;
  };
  const list = ({ authorization }: SignedIn) => request(running.url).get('/auth/sessions').set({ authorization });
  const me = ({ authorization }: SignedIn) => request(running.url).get('/me').set({ authorization });
  const refresh = ({ refreshToken }: SignedIn) =>
    request(running.url).post('/auth/refresh').send({ refresh_token: refreshToken });

  it('lists the sessions of the user, newest first, and says which is the current one', async () => {
    const { signIn, clock } = await start();
    const first = await signIn('jo@example.com');
    clock.advanceSeconds(60);
    const second = await signIn('jo@example.com');
    await signIn('other@example.com');

    const answer = await list(first).set('User-Agent', 'ignored here');
    expect(answer.status).toBe(200);
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(answer.body.count).toBe(2);
    expect(answer.body.data.map((session: { current: boolean }) => session.current)).toEqual([false, true]);
    expect(answer.body.data[1]).toEqual({
      id: expect.any(String),
      current: true,
      created_at: '2026-01-15T12:00:00.000Z',
      last_used_at: '2026-01-15T12:00:00.000Z',
      expires_at: '2026-01-22T12:00:00.000Z',
      ip: null,
      user_agent: null,
    });
    expect((await list(second)).body.data[0].current).toBe(true);
  });

  it('tells where a session was started from', async () => {
    const { auth, lastCode } = await start();
    await auth.api.requestOtp({ email: 'jo@example.com' });
    const answer = await request(running.url)
      .post('/auth/verify-otp')
      .set('User-Agent', 'A browser')
      .send({ email: 'jo@example.com', otp: lastCode('jo@example.com') });
    const authorization = `Bearer ${answer.body.access_token}`;
    const { body } = await request(running.url).get('/auth/sessions').set({ authorization });
    expect(body.data[0]).toMatchObject({ ip: '127.0.0.1', user_agent: 'A browser' });
  });

  it('shows ids that are no credentials', async () => {
    const { signIn } = await start();
    const signedIn = await signIn('jo@example.com');
    const { id } = (await list(signedIn)).body.data[0];
    const asBearer = await request(running.url).get('/me').set('Authorization', `Bearer ${id}`);
    const asRefresh = await request(running.url).post('/auth/refresh').send({ refresh_token: id });
    expect([asBearer.status, asRefresh.status]).toEqual([401, 401]);
  });

  it('loses none of a hundred sessions that are refreshed at once', async () => {
    const { auth, signIn } = await start({
      maxSessionsPerUser: 100,
      otp: { liveCodes: 1 },
      limits: { sendsPerHour: 1000, sendsPerDay: 1000 },
    });
    const ids = Array.from({ length: 100 }, (_, index) => index);
    const signedIn: SignedIn[] = [];
    for (const _ of ids) signedIn.push(await signIn('jo@example.com'));
    const refreshed = await Promise.all(signedIn.map(refresh));
    expect(refreshed.every(({ status }) => status === 200)).toBe(true);
    await expect(auth.api.listSessions('jo@example.com')).resolves.toHaveLength(100);
  });

  it('ends the oldest session above the most that a user may have', async () => {
    const { signIn, clock } = await start({ maxSessionsPerUser: 2 });
    const oldest = await signIn('jo@example.com');
    clock.advanceSeconds(1);
    const second = await signIn('jo@example.com');
    clock.advanceSeconds(1);
    const third = await signIn('jo@example.com');
    expect((await me(oldest)).status).toBe(401);
    expect((await refresh(oldest)).status).toBe(401);
    expect((await me(second)).status).toBe(200);
    expect((await list(third)).body.count).toBe(2);
  });

  it('ends one session, and kills its access and refresh tokens at once', async () => {
    const { signIn } = await start();
    const mine = await signIn('jo@example.com');
    const stolen = await signIn('jo@example.com');
    const { data } = (await list(mine)).body as { data: { id: string; current: boolean }[] };
    const other = data.find(({ current }) => !current);

    const ended = await request(running.url)
      .delete(`/auth/sessions/${other?.id}`)
      .set({ authorization: mine.authorization });
    expect([ended.status, ended.text]).toEqual([204, '']);
    expect((await me(stolen)).status).toBe(401);
    expect((await refresh(stolen)).status).toBe(401);
    expect((await me(mine)).status).toBe(200);
    const again = await request(running.url)
      .delete(`/auth/sessions/${other?.id}`)
      .set({ authorization: mine.authorization });
    expect([again.status, again.body.code]).toEqual([404, 'not_found']);
  });

  it("answers 404 for another user's session, and does not end it", async () => {
    const { signIn } = await start();
    const mine = await signIn('jo@example.com');
    const theirs = await signIn('other@example.com');
    const { id } = (await list(theirs)).body.data[0];
    expect(
      (await request(running.url).delete(`/auth/sessions/${id}`).set({ authorization: mine.authorization })).status,
    ).toBe(404);
    expect((await me(theirs)).status).toBe(200);
    expect(
      (await request(running.url).delete('/auth/sessions/%00').set({ authorization: mine.authorization })).status,
    ).toBe(404);
  });

  it('ends all sessions of the user everywhere, and says how many', async () => {
    const { signIn, auth } = await start();
    const ended: OtpAuthEvent<'session.ended'>[] = [];
    auth.events.on('session.ended', (event) => ended.push(event));
    const [one, two, three] = [
      await signIn('jo@example.com'),
      await signIn('jo@example.com'),
      await signIn('jo@example.com'),
    ];
    const other = await signIn('other@example.com');

    const answer = await request(running.url).post('/auth/logout-all').set({ authorization: one.authorization });
    expect([answer.status, answer.body.sessions]).toEqual([200, 3]);
    for (const signedIn of [one, two, three]) {
      expect((await me(signedIn)).status).toBe(401);
      expect((await refresh(signedIn)).status).toBe(401);
    }
    expect((await me(other)).status).toBe(200);
    expect(ended.map(({ reason }) => reason)).toEqual(['logout_all', 'logout_all', 'logout_all']);
    // A sign-in of the very same moment, afterwards, is not of those.
    expect((await me(await signIn('jo@example.com'))).status).toBe(200);
  });

  it('is ended from the outside by api.revokeUser and api.revokeSession', async () => {
    const { signIn, auth } = await start();
    const [one, two] = [await signIn('jo@example.com'), await signIn('jo@example.com')];
    const { sessionId } = await auth.api.authenticate(one.accessToken);
    await expect(auth.api.revokeSession('jo@example.com', sessionId)).resolves.toBe(true);
    await expect(auth.api.revokeSession('jo@example.com', sessionId)).resolves.toBe(false);
    expect([(await me(one)).status, (await me(two)).status]).toEqual([401, 200]);
    await expect(auth.api.revokeUser('Jo@Example.com')).resolves.toBe(1);
    expect((await me(two)).status).toBe(401);
  });

  it('ends a session that is not refreshed within its idle life, and any session at its absolute end', async () => {
    const { signIn, clock } = await start({ jwt: { refreshTokenDays: 7, sessionMaxDays: 10 } });
    const idle = await signIn('idle@example.com');
    let active = await signIn('active@example.com');
    clock.advanceSeconds(6 * DAY_SECONDS);
    const refreshed = await refresh(active);
    expect(refreshed.status).toBe(200);
    active = {
      ...active,
      refreshToken: refreshed.body.refresh_token,
      authorization: `Bearer ${refreshed.body.access_token}`,
    };
    const { data } = (await list(active)).body;
    expect(data[0].expires_at).toBe('2026-01-25T12:00:00.000Z'); // the absolute end, before six days and seven

    clock.advanceSeconds(1 * DAY_SECONDS);
    expect((await refresh(idle)).status).toBe(401);
    clock.advanceSeconds(3 * DAY_SECONDS - 60);
    const last = await refresh(active);
    expect([last.status, last.body.expires_in]).toEqual([200, 60]);
    clock.advanceSeconds(60);
    expect((await refresh({ ...active, refreshToken: last.body.refresh_token })).status).toBe(401);
    await expect(running.auth.api.listSessions('active@example.com')).resolves.toEqual([]);
  });

  it('tells listeners of each end, and from where it was asked for', async () => {
    const { signIn, auth, url } = await start();
    const ended = jest.fn();
    auth.events.on('session.ended', ended);
    const [one, two] = [await signIn('jo@example.com'), await signIn('jo@example.com')];
    const { data } = (await list(one)).body;
    const other = data.find((session: { current: boolean }) => !session.current).id;
    const from = { authorization: one.authorization, 'User-Agent': 'A browser' };
    await request(url).delete(`/auth/sessions/${other}`).set(from);
    await request(url).post('/auth/logout-all').set(from);
    const everyone = {
      userId: 'jo@example.com',
      identifier: 'j***@example.com',
      ip: '127.0.0.1',
      userAgent: 'A browser',
    };
    expect(ended.mock.calls).toEqual([
      [expect.objectContaining({ ...everyone, sessionId: other, reason: 'revoked' })],
      [expect.objectContaining({ ...everyone, reason: 'logout_all' })],
    ]);
    expect((await me(two)).status).toBe(401);
  });

  it('needs an access token', async () => {
    await start();
    for (const answer of [
      await request(running.url).get('/auth/sessions'),
      await request(running.url).delete('/auth/sessions/x'),
      await request(running.url).post('/auth/logout-all'),
    ])
      expect([answer.status, answer.body.code]).toEqual([401, 'token_missing']);
  });
});
