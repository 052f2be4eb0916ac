import assert from 'node:assert/strict';
import test from 'node:test';
import { createTestAuth } from 'express-otp-auth/testing';
import { generateSync } from 'otplib';
import request from 'supertest';
import { createApp, totpOptions } from './app.js';

const email = 'jo@example.com';

/** An application in which Jo has set up an app, and hands in her code. */
async function start() {
  const { auth, outbox, clock, signIn } = createTestAuth(totpOptions);
  const app = createApp(auth);
  const post = (path, body) => request(app).post(`/auth${path}`).send(body);
  const { authorization } = await signIn(email);
  const asJo = (path, body) => post(path, body).set('Authorization', authorization);

  const { secret } = (await asJo('/totp/enroll').expect(200)).body;
  const appCode = () => generateSync({ secret, epoch: Math.floor(clock.now() / 1000) });
  const { recovery_codes: recoveryCodes } = (await asJo('/totp/confirm', { code: appCode() }).expect(200)).body;
  clock.advance(30); // each code of the app is good once

  const signInByMail = async () => {
    await post('/request-otp', { email }).expect(200);
    return post('/verify-otp', { email, otp: outbox.lastCode(email) });
  };
  return { post, asJo, appCode, recoveryCodes, signInByMail, clock };
}

test('asks for the second factor, and takes the code of the app', async () => {
  const { post, appCode, signInByMail } = await start();
  const { status, body } = await signInByMail();
  assert.deepEqual([status, body.code], [403, 'mfa_required']);
  await post('/totp/verify', { mfa_token: body.mfa_token, code: appCode() }).expect(200);
});

test('takes each recovery code once', async () => {
  const { post, recoveryCodes, signInByMail, clock } = await start();
  const signInWithRecoveryCode = async () => {
    const { body } = await signInByMail();
    return post('/totp/verify', { mfa_token: body.mfa_token, recovery_code: recoveryCodes[0] });
  };
  assert.equal((await signInWithRecoveryCode()).status, 200);
  clock.advance(60);
  assert.equal((await signInWithRecoveryCode()).body.code, 'invalid_totp');
});

test('asks no longer when it is turned off', async () => {
  const { asJo, appCode, signInByMail } = await start();
  await asJo('/totp/disable', { code: appCode() }).expect(204);
  assert.equal((await signInByMail()).status, 200);
});
