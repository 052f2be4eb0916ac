import { ResourceOwnerPassword } from 'simple-oauth2';
import request from 'supertest';
import { type AuthApp, startAuthApp } from '../support/auth-app.js';

describe('the OAuth 2.0 endpoints', () => {
  let running: AuthApp;
  beforeAll(async () => {
    running = await startAuthApp({ limits: { sendsPerHour: 1000, sendsPerDay: 1000 } });
  });
  const token = (form: Record<string, string> | string) =>
    request(running.url).post('/auth/token').type('form').send(form);
  const codeFor = async (email: string) => {
    await running.auth.api.requestOtp({ email });
    return running.lastCode(email);
  };
  const me = (accessToken: string) => request(running.url).get('/me').set('Authorization', `Bearer ${accessToken}`);

  it('signs in a stock OAuth 2.0 client, refreshes and revokes', async () => {
    const client = new ResourceOwnerPassword({
      client: { id: 'an-application', secret: 'ignored' },
      auth: { tokenHost: running.url, tokenPath: '/auth/token', revokePath: '/auth/revoke' },
    });
    const password = await codeFor('client@example.com');
    const first = await client.getToken({ username: 'Client@Example.com', password, scope: '' });
    expect((await me(String(first.token['access_token']))).body.email).toBe('client@example.com');
    const second = await first.refresh();
    expect((await me(String(second.token['access_token']))).status).toBe(200);
    await second.revokeAll();
    expect((await me(String(second.token['access_token']))).status).toBe(401);
    await expect(second.refresh()).rejects.toThrow();
  });

  it('answers a grant with exactly what RFC 6749 has, and no cookie', async () => {
    const answer = await token({
      grant_type: 'password',
      username: 'jo@example.com',
      password: await codeFor('jo@example.com'),
    });
    expect(answer.status).toBe(200);
    expect(Object.keys(answer.body).sort()).toEqual(['access_token', 'expires_in', 'refresh_token', 'token_type']);
    expect(answer.body).toMatchObject({ token_type: 'bearer', expires_in: 3600 });
    expect(answer.headers['set-cookie']).toBeUndefined();
    expect([answer.headers['cache-control'], answer.headers['pragma']]).toEqual(['no-store', 'no-cache']);
  });

  it.each([
    ['no grant type', {}, 'invalid_request'],
    ['an empty grant type', { grant_type: '' }, 'invalid_request'],
    ['an unknown grant type', { grant_type: 'client_credentials' }, 'unsupported_grant_type'],
    ['no password', { grant_type: 'password', username: 'jo@example.com' }, 'invalid_request'],
    ['no user name', { grant_type: 'password', password: '123456' }, 'invalid_request'],
    [
      'a user name that is no address',
      { grant_type: 'password', username: 'jo', password: '123456' },
      'invalid_request',
    ],
    [
      'a parameter twice',
      'grant_type=password&username=jo@example.com&username=a@example.com&password=123456',
      'invalid_request',
    ],
    [
      'a parameter twice that means nothing here',
      'grant_type=password&username=jo@example.com&password=123456&scope=a&scope=b',
      'invalid_request',
    ],
    ['a client twice', 'grant_type=refresh_token&refresh_token=x&client_id=a&client_id=a', 'invalid_request'],
    [
      'a password that is no code',
      { grant_type: 'password', username: 'jo@example.com', password: 'hunter2' },
      'invalid_grant',
    ],
    ['a wrong code', { grant_type: 'password', username: 'wrong@example.com', password: '000000' }, 'invalid_grant'],
    ['a refresh token that is none', { grant_type: 'refresh_token', refresh_token: 'x' }, 'invalid_grant'],
    ['no refresh token', { grant_type: 'refresh_token' }, 'invalid_request'],
  ])('answers %s in the form of RFC 6749', async (_, form, error) => {
    const answer = await token(form);
    expect([answer.status, answer.body]).toEqual([400, { error, error_description: expect.any(String) }]);
  });

  it('takes forms alone', async () => {
    const answer = await request(running.url).post('/auth/token').send({ grant_type: 'password' });
    expect(answer.status).toBe(415);
    expect((await request(running.url).get('/auth/token')).status).toBe(405);
    expect((await token({ grant_type: 'x'.repeat(9000) })).status).toBe(413);
  });

  it('answers a limit as 429 with Retry-After', async () => {
    const guess = () => token({ grant_type: 'password', username: 'limit@example.com', password: '000000' });
    for (let count = 0; count < 25; count++) expect((await guess()).status).toBe(400);
    const answer = await guess();
    expect([answer.status, answer.body.error]).toEqual([429, 'rate_limited']);
    expect(answer.body.retry_after).toBeGreaterThan(0);
    expect(answer.headers['retry-after']).toBe(String(answer.body.retry_after));
  });

  it('revokes an access token alone, a refresh token with its session, and answers 200 to anything', async () => {
    const revoke = (value: string) => request(running.url).post('/auth/revoke').type('form').send({ token: value });
    const { accessToken, refreshToken } = await running.signIn('revoke@example.com');
    expect((await revoke(accessToken)).status).toBe(200);
    expect((await me(accessToken)).status).toBe(401);
    const refreshed = await token({ grant_type: 'refresh_token', refresh_token: refreshToken });
    expect(refreshed.status).toBe(200);

    expect((await revoke(refreshed.body.refresh_token)).status).toBe(200);
    expect((await me(refreshed.body.access_token)).status).toBe(401);
    expect((await token({ grant_type: 'refresh_token', refresh_token: refreshed.body.refresh_token })).status).toBe(
      400,
    );
    for (const nothing of ['x', `${accessToken}x`, refreshToken]) expect((await revoke(nothing)).status).toBe(200);
    for (const form of ['', 'token=', 'token=x&token=y', 'token=x&token_type_hint=a&token_type_hint=a']) {
      const refused = await request(running.url).post('/auth/revoke').type('form').send(form);
      expect([form, refused.status, refused.body.error]).toEqual([form, 400, 'invalid_request']);
    }
  });
});
