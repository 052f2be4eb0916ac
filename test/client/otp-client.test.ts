import { generateSync } from 'otplib';
import { createOtpClient, type OtpClient, type OtpClientOptions, type OtpUser } from '../../src/client/index.js';
import { memoryStore } from '../../src/index.js';
import { startAuthApp } from '../support/auth-app.js';
import { startWeatherServer, type Weather, type WeatherServer } from './weather-server.js';

const email = 'ann@example.com';
const HOUR_SECONDS = 3600;

/** A client as a Node program or a React Native application has it. */
function clientOf({ origin }: WeatherServer, options: Partial<OtpClientOptions> = {}): OtpClient {
  return createOtpClient({ baseUrl: `${origin}/auth`, tokenTransport: 'body', ...options });
}

async function signedIn(server: WeatherServer, options: Partial<OtpClientOptions> = {}): Promise<OtpClient> {
  const client = clientOf(server, options);
  await server.auth.api.requestOtp({ email });
  const { error } = await client.verifyOtp({ email, otp: server.outbox.lastCode(email) ?? '' });
  expect(error).toBeNull();
  server.answered.length = 0;
  return client;
}

describe('signing in', () => {
  it('asks for a code, takes it, and knows who is signed in', async () => {
    const server = await startWeatherServer();
    const client = clientOf(server);
    const told: (OtpUser | null | undefined)[] = [];
    client.subscribe((user) => told.push(user));
    expect(client.user).toBeUndefined();
    expect(client.getAccessToken()).toBeNull();

    const asked = await client.requestOtp({ email, locale: 'de' });
    expect(asked).toEqual({ data: { message: 'OTP sent successfully', expiresIn: 300, resendIn: 30 }, error: null });
    expect(server.outbox.last(email)?.locale).toBe('de');

    const { data, error } = await client.verifyOtp({ email, otp: server.outbox.lastCode(email) ?? '' });
    expect(error).toBeNull();
    expect(data).toEqual({ user: client.user, accessToken: client.getAccessToken(), expiresIn: HOUR_SECONDS });
    expect(client.user).toEqual({
      id: email,
      email,
      roles: [],
      sessionId: expect.any(String) as string,
      authTime: server.clock.now() / 1000,
      amr: ['otp'],
      claims: {},
    });
    expect(told).toEqual([client.user]);
    await expect(server.auth.api.authenticate(client.getAccessToken() ?? '')).resolves.toMatchObject({ id: email });
  });

  it('signs in with a phone number', async () => {
    const server = await startWeatherServer({ sms: { allowedCountries: ['AT'] } });
    const client = clientOf(server);
    const phoneNumber = '+436641234567';
    await client.requestOtp({ phoneNumber });
    const { data } = await client.verifyOtp({ phoneNumber, otp: server.outbox.lastCode(phoneNumber) ?? '' });
    expect(data?.user).toMatchObject({ id: phoneNumber, phoneNumber });
  });

  it('reads claims of the application in any script', async () => {
    const server = await startWeatherServer({ claims: () => ({ name: 'آنا 🙂 Žena' }) });
    const client = await signedIn(server);
    expect(client.user?.claims).toEqual({ name: 'آنا 🙂 Žena' });
  });

  it('has functions that work without the object', async () => {
    const server = await startWeatherServer();
    const { requestOtp, verifyOtp, getAccessToken, fetch, logout } = clientOf(server);
    await requestOtp({ email });
    await verifyOtp({ email, otp: server.outbox.lastCode(email) ?? '' });
    expect(getAccessToken()).not.toBeNull();
    expect((await fetch(`${server.origin}/me`)).status).toBe(200);
    await expect(logout()).resolves.toEqual({ data: { message: 'Successfully logged out' }, error: null });
  });

  it('takes a baseUrl with a slash at its end, and is not told apart by it', async () => {
    const server = await startWeatherServer();
    await clientOf(server, { baseUrl: `${server.origin}/auth/` }).requestOtp({ email });
    expect(server.answered).toEqual(['POST /auth/request-otp 200']);
  });
});

describe('signing in with a second factor', () => {
  /** Somebody who has an authenticator app, and the client after the first factor. */
  async function afterFirstFactor() {
    const server = await startWeatherServer({ totp: 'optional', users: { store: 'memory' } });
    const client = await signedIn(server);
    const post = async (path: string, body: object) => {
      const headers = { 'Content-Type': 'application/json' };
      const response = await client.fetch(`${server.origin}/auth${path}`, {
        method: 'POST',
        headers,
        body: JSON.stringify(body),
      });
      expect(response.status).toBe(200);
      return response.json() as Promise<{ secret: string; recovery_codes: string[] }>;
    };
    const { secret } = await post('/totp/enroll', {});
    const codeOf = () => generateSync({ secret, epoch: server.clock.now() / 1000 });
    const { recovery_codes: recoveryCodes } = await post('/totp/confirm', { code: codeOf() });
    await client.logout();
    server.clock.advance(60);
    await client.requestOtp({ email });
    const { error } = await client.verifyOtp({ email, otp: server.outbox.lastCode(email) ?? '' });
    if (error?.code !== 'mfa_required') throw new Error('not an mfa_required');
    expect(error.methods).toEqual(['totp', 'recovery_code']);
    expect(client.user).toBeNull();
    return { client, mfaToken: error.mfaToken, codeOf, recoveryCode: recoveryCodes[0] ?? '' };
  }

  it('goes on from mfa_required with a code of the app', async () => {
    const { client, mfaToken, codeOf } = await afterFirstFactor();
    const wrong = await client.verifyTotp({ mfaToken, code: codeOf() === '000000' ? '000001' : '000000' });
    expect(wrong.error?.code).toBe('invalid_totp');
    const { data } = await client.verifyTotp({ mfaToken, code: codeOf() });
    expect(data?.user).toMatchObject({ email, amr: ['otp', 'totp'] });
    expect(client.user).toBe(data?.user);
    await expect(client.refresh()).resolves.toMatchObject({ error: null });
  });

  it('goes on from mfa_required with a recovery code', async () => {
    const { client, mfaToken, recoveryCode } = await afterFirstFactor();
    await expect(client.verifyTotp({ mfaToken, recoveryCode })).resolves.toMatchObject({ error: null });
    expect(client.user).toMatchObject({ email });
  });
});

describe('errors', () => {
  it('tells them apart by code, with the time to wait where there is one', async () => {
    const server = await startWeatherServer();
    const client = clientOf(server);
    await expect(client.verifyOtp({ email, otp: '000000' })).resolves.toMatchObject({
      data: null,
      error: { code: 'invalid_otp', status: 400, message: expect.any(String) as string },
    });
    await client.requestOtp({ email });
    const { error } = await client.requestOtp({ email });
    expect(error).toMatchObject({ code: 'rate_limited', status: 429, retryAfter: 30 });
    const invalid = await client.requestOtp({ email: 'nobody' });
    if (invalid.error?.code !== 'invalid_request') throw new Error('not an invalid_request');
    expect(invalid.error.errors).toMatchObject([{ path: 'email' }]);
  });

  it.each<[Weather, object]>([
    ['unreachable', { code: 'network_error', cause: expect.anything() as unknown }],
    ['bad_gateway', { code: 'unexpected_response', status: 502 }],
    ['captive_portal', { code: 'unexpected_response', status: 200 }],
  ])('resolves where the server is behind a way that is %s, and signs nobody in or out', async (weather, error) => {
    const server = await startWeatherServer();
    const client = await signedIn(server);
    const { user } = client;
    const token = client.getAccessToken();
    server.turn(weather);
    await expect(client.refresh()).resolves.toMatchObject({ data: null, error });
    await expect(client.logout()).resolves.toMatchObject({ data: null, error });
    await expect(client.requestOtp({ email })).resolves.toMatchObject({ data: null, error });
    await expect(client.verifyOtp({ email, otp: '123456' })).resolves.toMatchObject({ data: null, error });
    expect(client.user).toBe(user);
    expect(client.getAccessToken()).toBe(token);

    server.turn('fine');
    await expect(client.refresh()).resolves.toMatchObject({ error: null });
    expect(client.user).toBe(user);
  });

  it('waits no longer than 30 seconds for a server that says nothing', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate', 'Date', 'performance'] });
    try {
      const silent = (...[, init]: Parameters<OtpClient['fetch']>) =>
        new Promise<Response>((_, reject) => {
          init?.signal?.addEventListener('abort', () => reject(new Error('aborted')));
        });
      const client = createOtpClient({ baseUrl: 'https://silent.example/auth', fetch: silent });
      const asked = client.requestOtp({ email });
      await jest.advanceTimersByTimeAsync(29_999);
      await expect(Promise.race([asked, Promise.resolve('waiting')])).resolves.toBe('waiting');
      await jest.advanceTimersByTimeAsync(1);
      await expect(asked).resolves.toMatchObject({ error: { code: 'network_error' } });
    } finally {
      jest.useRealTimers();
    }
  });

  it('stays signed in where the server cannot reach its store, and says when to try again', async () => {
    const store = memoryStore();
    let gone = false;
    const { auth, url, lastCode } = await startAuthApp({
      store: {
        ...store,
        rotateSession: (request) => (gone ? Promise.reject(new Error('gone')) : store.rotateSession(request)),
      },
      logger: { debug() {}, info() {}, warn() {}, error() {} },
    });
    const client = createOtpClient({ baseUrl: `${url}/auth`, tokenTransport: 'body' });
    await auth.api.requestOtp({ email });
    await client.verifyOtp({ email, otp: lastCode(email) });
    gone = true;
    await expect(client.refresh()).resolves.toMatchObject({
      error: { code: 'store_unavailable', status: 503, retryAfter: 1 },
    });
    expect(client.user).toMatchObject({ id: email });
    gone = false;
    await expect(client.refresh()).resolves.toMatchObject({ error: null });
  });
});

describe('refreshing', () => {
  it('gives a new access token, and the same user object for as long as nothing in it changes', async () => {
    const server = await startWeatherServer();
    const client = await signedIn(server);
    const [user, token] = [client.user, client.getAccessToken()];
    server.clock.advance(60);
    const { data } = await client.refresh();
    expect(data).toEqual({ user, accessToken: client.getAccessToken(), expiresIn: HOUR_SECONDS });
    expect(client.getAccessToken()).not.toBe(token);
    expect(client.user).toBe(user);
    expect(data?.user).toBe(user);
  });

  it('is one request, however many ask for it at once', async () => {
    const server = await startWeatherServer();
    const client = await signedIn(server);
    const results = await Promise.all([client.refresh(), client.refresh(), client.refresh()]);
    expect(new Set(results.map(({ data }) => data?.accessToken)).size).toBe(1);
    expect(server.answered).toEqual(['POST /auth/refresh 200']);
    await client.refresh();
    expect(server.answered).toHaveLength(2);
    server.turn('bad_gateway');
    await Promise.all([client.refresh(), client.refresh(), client.refresh()]);
    expect(server.answered).toHaveLength(3);
  });

  it('signs out where the server says that there is no session any more, and tells', async () => {
    const server = await startWeatherServer();
    const client = await signedIn(server);
    const told: (OtpUser | null | undefined)[] = [];
    client.subscribe((user) => told.push(user));
    await server.auth.api.revokeUser(email);
    await expect(client.refresh()).resolves.toMatchObject({ data: null, error: { code: 'invalid_refresh_token' } });
    expect(client.user).toBeNull();
    expect(client.getAccessToken()).toBeNull();
    expect(told).toEqual([null]);
    // Nothing is left to ask with.
    await expect(client.refresh()).resolves.toMatchObject({ error: { code: 'token_missing' } });
    expect(server.answered).toEqual(['POST /auth/refresh 401']);
  });

  it('does not bring back who signs out in the middle of it', async () => {
    const server = await startWeatherServer();
    const client = await signedIn(server);
    const { arrived, letGo } = server.hold('/auth/refresh');
    const refreshed = client.refresh();
    await arrived;
    const loggedOut = client.logout();
    letGo();
    await Promise.all([refreshed, loggedOut]);
    expect(client.user).toBeNull();
    expect(client.getAccessToken()).toBeNull();
  });

  it('does not go over a sign-in that happens at the same time', async () => {
    const server = await startWeatherServer();
    const client = await signedIn(server);
    await server.auth.api.requestOtp({ email: 'bob@example.com' });
    const { arrived, letGo } = server.hold('/auth/verify-otp');
    const verified = client.verifyOtp({
      email: 'bob@example.com',
      otp: server.outbox.lastCode('bob@example.com') ?? '',
    });
    await arrived;
    const refreshed = client.refresh();
    letGo();
    await expect(verified).resolves.toMatchObject({ data: { user: { id: 'bob@example.com' } } });
    await expect(refreshed).resolves.toMatchObject({ data: { user: { id: 'bob@example.com' } } });
    expect(server.answered).toEqual(['POST /auth/verify-otp 200']);
  });
});

describe('signing out', () => {
  it('ends the session at the server, and forgets it here', async () => {
    const server = await startWeatherServer();
    const client = await signedIn(server);
    const token = client.getAccessToken() ?? '';
    await expect(client.logout()).resolves.toEqual({ data: { message: 'Successfully logged out' }, error: null });
    expect(client.user).toBeNull();
    expect(client.getAccessToken()).toBeNull();
    await expect(server.auth.api.authenticate(token)).rejects.toMatchObject({ code: 'invalid_token' });
    await expect(server.auth.api.listSessions(email)).resolves.toEqual([]);
  });

  it('of somebody who is signed out already says so, and leaves it at that', async () => {
    const server = await startWeatherServer();
    const client = clientOf(server);
    await expect(client.logout()).resolves.toMatchObject({ error: { code: 'token_missing' } });
    expect(client.user).toBeNull();
  });
});

describe('listeners', () => {
  it('are told of every change until they have had enough, and one that throws disturbs nobody', async () => {
    const server = await startWeatherServer();
    const client = await signedIn(server);
    const queued = jest.spyOn(globalThis, 'queueMicrotask').mockImplementation(() => {});
    const told: string[] = [];
    client.subscribe(() => {
      throw new Error('a mistake in a listener');
    });
    const enough = client.subscribe((user) => told.push(`first ${user?.id}`));
    client.subscribe((user) => told.push(`second ${user?.id}`));
    await expect(client.refresh()).resolves.toMatchObject({ error: null });
    enough();
    await client.logout();
    expect(told).toEqual([`first ${email}`, `second ${email}`, 'second undefined']);
    expect(queued.mock.calls[0]?.[0]).toThrow('a mistake in a listener');
    queued.mockRestore();
  });
});

describe('fetch', () => {
  it('adds the access token', async () => {
    const server = await startWeatherServer();
    const client = await signedIn(server);
    const response = await client.fetch(`${server.origin}/me`);
    await expect(response.json()).resolves.toEqual({ id: email });
  });

  it('refreshes once on 401, and repeats the request', async () => {
    const server = await startWeatherServer();
    const client = await signedIn(server);
    server.clock.advance(HOUR_SECONDS);
    expect((await client.fetch(`${server.origin}/me`)).status).toBe(200);
    expect(server.answered).toEqual(['GET /me 401', 'POST /auth/refresh 200', 'GET /me 200']);
  });

  it('makes one refresh of many requests that are answered 401', async () => {
    const server = await startWeatherServer();
    const client = await signedIn(server);
    server.clock.advance(HOUR_SECONDS);
    const responses = await Promise.all(Array.from({ length: 20 }, () => client.fetch(`${server.origin}/me`)));
    expect(responses.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
    expect(server.answered.filter((line) => line.includes('/refresh'))).toEqual(['POST /auth/refresh 200']);
  });

  it('makes no second refresh for a 401 that arrives after the first is done', async () => {
    const server = await startWeatherServer();
    const client = await signedIn(server);
    server.clock.advance(HOUR_SECONDS);
    const { arrived, letGo } = server.hold('/echo');
    const late = client.fetch(`${server.origin}/echo`, { method: 'POST', body: 'late' });
    await arrived;
    expect((await client.fetch(`${server.origin}/me`)).status).toBe(200);
    letGo();
    expect((await late).status).toBe(200);
    expect(server.answered.filter((line) => line.includes('/refresh'))).toHaveLength(1);
  });

  it.each<[string, (url: string) => Parameters<OtpClient['fetch']>]>([
    ['a string', (url) => [url, { method: 'POST', body: 'all of it' }]],
    ['bytes', (url) => [new URL(url), { method: 'POST', body: new TextEncoder().encode('all of it') }]],
    ['a stream', (url) => [url, { method: 'POST', body: new Blob(['all of it']).stream(), duplex: 'half' }]],
    ['a Request', (url) => [new Request(url, { method: 'POST', body: 'all of it' })]],
    ['a Request with another body', (url) => [new Request(url, { method: 'POST' }), { body: 'all of it' }]],
  ])('repeats a request whose body is %s', async (_what, requestTo) => {
    const server = await startWeatherServer();
    const client = await signedIn(server);
    server.clock.advance(HOUR_SECONDS);
    const [input, init] = requestTo(`${server.origin}/echo`);
    const response = await client.fetch(input, { ...init, headers: { 'Content-Type': 'text/plain' } });
    await expect(response.text()).resolves.toBe('all of it');
    expect(server.answered).toEqual(['POST /echo 401', 'POST /auth/refresh 200', 'POST /echo 200']);
  });

  it('keeps the headers of the request', async () => {
    const server = await startWeatherServer();
    const client = await signedIn(server);
    const request = new Request(`${server.origin}/echo`, {
      method: 'POST',
      body: 'text',
      headers: { 'Content-Type': 'text/plain' },
    });
    await expect((await client.fetch(request)).text()).resolves.toBe('text');
  });

  it('sends the access token to no other origin, unless that is one of tokenOrigins', async () => {
    const [server, other, told] = [await startWeatherServer(), await startWeatherServer(), await startWeatherServer()];
    const client = await signedIn(server, { tokenOrigins: [told.origin] });
    for (const { origin } of [server, other, told]) {
      await client.fetch(`${origin}/seen`);
      await client.fetch(new URL(`${origin}/seen`));
      await client.fetch(new Request(`${origin}/seen`));
    }
    const bearer = `Bearer ${client.getAccessToken()}`;
    expect(server.seen).toEqual([bearer, bearer, bearer]);
    expect(other.seen).toEqual(['none', 'none', 'none']);
    expect(told.seen).toEqual([bearer, bearer, bearer]);
    expect((await client.fetch(`${other.origin}/me`)).status).toBe(401);
    expect(server.answered.filter((line) => line.includes('/refresh'))).toEqual([]);
  });

  it('leaves a request alone that has an Authorization of its own', async () => {
    const server = await startWeatherServer();
    const client = await signedIn(server);
    await client.fetch(`${server.origin}/seen`, { headers: { Authorization: 'Basic abc' } });
    await client.fetch(new Request(`${server.origin}/seen`, { headers: { Authorization: 'Basic def' } }));
    expect(server.seen).toEqual(['Basic abc', 'Basic def']);
    const response = await client.fetch(`${server.origin}/me`, { headers: { Authorization: 'Bearer mine' } });
    expect(response.status).toBe(401);
    expect(server.answered).not.toContain('POST /auth/refresh 200');
  });

  it('gives the answer of 401 where the refresh does not help, and asks once', async () => {
    const server = await startWeatherServer();
    const client = await signedIn(server);
    const response = await client.fetch(`${server.origin}/never`);
    expect(response.status).toBe(401);
    await expect(response.json()).resolves.toBe('never');
    expect(server.answered).toEqual(['GET /never 401', 'POST /auth/refresh 200', 'GET /never 401']);
  });

  it('gives the answer of 401 where the refresh fails, readable, and stays signed in', async () => {
    const server = await startWeatherServer();
    const client = await signedIn(server, {
      fetch: (...request) =>
        request[0] === `${server.origin}/auth/refresh` ? Promise.reject(new TypeError('offline')) : fetch(...request),
    });
    server.clock.advance(HOUR_SECONDS);
    const response = await client.fetch(`${server.origin}/me`);
    expect(response.status).toBe(401);
    await expect(response.json()).resolves.toMatchObject({ code: 'invalid_token' });
    expect(client.user).toMatchObject({ id: email });
  });

  it('makes no refresh where a newer sign-in is what is wanted', async () => {
    const server = await startWeatherServer();
    const client = await signedIn(server);
    server.clock.advance(61);
    expect((await client.fetch(`${server.origin}/recent`)).status).toBe(401);
    expect(server.answered).toEqual(['GET /recent 401']);
  });

  it('makes no refresh for visitors who are known to be signed out', async () => {
    const server = await startWeatherServer();
    const client = await signedIn(server);
    await client.logout();
    server.answered.length = 0;
    expect((await client.fetch(`${server.origin}/me`)).status).toBe(401);
    expect(server.answered).toEqual(['GET /me 401']);
  });

  it('finds out first who is signed in, so that nobody is taken for a stranger', async () => {
    const server = await startWeatherServer();
    const { refreshToken } = await server.signIn(email);
    let kept: string | null = refreshToken;
    const storage = {
      get: () => kept,
      set: (_name: string, token: string) => {
        kept = token;
      },
      remove: () => {
        kept = null;
      },
    };
    const client = clientOf(server, { storage });
    const responses = await Promise.all([
      client.fetch(`${server.origin}/maybe`),
      client.fetch(`${server.origin}/maybe`),
    ]);
    await expect(Promise.all(responses.map((response) => response.json()))).resolves.toEqual([
      { id: email },
      { id: email },
    ]);
    expect(server.answered).toEqual(['POST /auth/refresh 200', 'GET /maybe 200', 'GET /maybe 200']);
    expect(kept).not.toBe(refreshToken);
    expect(client.user).toMatchObject({ id: email });
  });

  it('rejects where the server cannot be reached, as the platform’s does', async () => {
    const server = await startWeatherServer();
    const client = await signedIn(server);
    server.turn('unreachable');
    await expect(client.fetch(`${server.origin}/me`)).rejects.toThrow('fetch failed');
  });
});

describe('tokens in bodies', () => {
  it('are kept by the storage that the application gives; signing out removes the refresh token', async () => {
    const server = await startWeatherServer();
    const kept = new Map<string, string>();
    const storage = {
      get: async (name: string) => kept.get(name),
      set: async (name: string, token: string) => void kept.set(name, token),
      remove: async (name: string) => void kept.delete(name),
    };
    const client = await signedIn(server, { storage });
    expect([...kept.keys()].toSorted(inOrder)).toEqual(['otp_device_token', 'otp_refresh_token']);
    const first = kept.get('otp_refresh_token');
    await client.refresh();
    expect(kept.get('otp_refresh_token')).not.toBe(first);
    const resumed = clientOf(server, { storage });
    await expect(resumed.refresh()).resolves.toMatchObject({ data: { user: { id: email } } });
    await resumed.logout();
    expect([...kept.keys()]).toEqual(['otp_device_token']);
  });

  it('show a device that has signed in before, whom strangers cannot lock out', async () => {
    const server = await startWeatherServer({ limits: { sendsPerDay: 1 } });
    const client = await signedIn(server);
    await client.logout();
    server.clock.advance(60);
    await expect(clientOf(server).requestOtp({ email })).resolves.toMatchObject({ error: { code: 'rate_limited' } });
    await expect(client.requestOtp({ email })).resolves.toMatchObject({ error: null });
    const otp = server.outbox.lastCode(email) ?? '';
    await expect(client.verifyOtp({ email, otp })).resolves.toMatchObject({ error: null });
  });

  it('go on from memory where the storage fails, and the method says that it did', async () => {
    const server = await startWeatherServer();
    const kept = new Map<string, string>();
    let works = true;
    const client = await signedIn(server, {
      storage: {
        get: (name) => kept.get(name),
        set(name, token) {
          if (!works) throw new Error('locked');
          kept.set(name, token);
        },
        remove() {},
      },
    });
    works = false;
    await expect(client.refresh()).resolves.toMatchObject({ error: { code: 'storage_error' } });
    expect(client.user).toMatchObject({ id: email });
    works = true;
    // What the storage still has is used up, and would end the session now.
    server.clock.advance(60);
    await expect(client.refresh()).resolves.toMatchObject({ error: null });
    server.clock.advance(60);
    await expect(client.refresh()).resolves.toMatchObject({ error: null });
  });

  it('let a code be asked for where the storage cannot be read', async () => {
    const server = await startWeatherServer();
    const storage = { get: () => Promise.reject(new Error('locked')), set() {}, remove() {} };
    await expect(clientOf(server, { storage }).requestOtp({ email })).resolves.toMatchObject({ error: null });
    await expect(clientOf(server, { storage }).refresh()).resolves.toMatchObject({ error: { code: 'storage_error' } });
  });
});

const inOrder = (one: string, other: string) => one.localeCompare(other);
