import { generateSync } from 'otplib';
import request from 'supertest';
import { type AuthApp, startAuthApp } from '../support/auth-app.js';
import { closeAfterFile } from '../support/closing.js';
import { readToken } from '../support/jwt.js';

const JO = 'jo@example.com';

/** Whatever must not be guessed, once each, by what it is. */
async function drawAll(app: AuthApp): Promise<Record<string, string>> {
  const post = async (path: string, body: object, authorization = '') =>
    (await request(app.url).post(`/auth${path}`).set({ authorization }).send(body)).body;
  const signIn = async () => {
    await app.auth.api.requestOtp({ email: JO });
    return post('/verify-otp', { email: JO, otp: app.lastCode(JO), token_transport: 'body' });
  };
  const signedIn = await signIn();
  const code = app.lastCode(JO);
  const authorization = `Bearer ${signedIn.access_token}`;
  const { secret } = await post('/totp/enroll', {}, authorization);
  const appCode = generateSync({ secret, epoch: Math.floor(app.clock.now() / 1000) });
  const confirmed = await post('/totp/confirm', { code: appCode }, authorization);
  const challenged = await signIn();
  const page = await request(app.url).get('/auth/sign-in');

  const { sid, jti } = readToken(signedIn.access_token).payload;
  return {
    code,
    session: String(sid),
    accessToken: String(jti),
    refreshToken: String(readToken(signedIn.refresh_token).payload['jti']),
    mfaToken: String(readToken(challenged.mfa_token).payload['jti']),
    device: signedIn.device_token.split('.')[0],
    appSecret: secret,
    recoveryCode: confirmed.recovery_codes[0],
    nonce: /nonce="([^"]+)"/.exec(page.text)?.[1] ?? '',
  };
}

describe('what must not be guessed', () => {
  let drawn: Record<string, string>[];
  beforeAll(async () => {
    // A generator that can be foretold: whatever is drawn from it is the same every time.
    const spy = jest.spyOn(Math, 'random').mockReturnValue(0.5);
    closeAfterFile(() => spy.mockRestore());
    const options = {
      users: { store: 'memory' },
      totp: 'optional',
      pages: true,
      otp: { length: 10 },
    } as const;
    drawn = [];
    // Nothing outlives its application, so each draws everything anew, from the same clock.
    for (let run = 0; run < 3; run += 1) drawn.push(await drawAll(await startAuthApp(options)));
  });

  it('is not drawn from Math.random', () => {
    for (const what of Object.keys(drawn[0] ?? {})) {
      const values = drawn.map((values) => values[what]);
      expect(values).not.toContain('');
      expect([what, new Set(values).size]).toEqual([what, drawn.length]);
    }
  });

  it('has 128 random bits and more where nobody has to type it in', () => {
    for (const { session, accessToken, refreshToken, mfaToken, device, nonce, appSecret } of drawn) {
      for (const id of [session, accessToken, refreshToken, mfaToken, device])
        expect(Buffer.from(String(id), 'base64url')).toHaveLength(16);
      expect(Buffer.from(String(nonce), 'base64')).toHaveLength(16);
      expect(appSecret).toMatch(/^[A-Z2-7]{32}$/); // 160 bits in base32
    }
  });
});
