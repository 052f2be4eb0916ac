import assert from 'node:assert/strict';
import test from 'node:test';
import { createTestAuth } from 'express-otp-auth/testing';
import request from 'supertest';
import { createApp } from './app.js';

test('shows people who they are', async () => {
  const { auth, signIn } = createTestAuth();
  const { authorization } = await signIn('jo@example.com');
  const { body } = await request(createApp(auth)).get('/me').set('Authorization', authorization).expect(200);
  assert.equal(body.id, 'jo@example.com');
});

test('shows nothing to anybody else', async () => {
  const { auth } = createTestAuth();
  await request(createApp(auth)).get('/me').expect(401);
});

test('signs in with the code that was sent', async () => {
  const { auth, outbox } = createTestAuth();
  const app = createApp(auth);
  const email = 'jo@example.com';
  await request(app).post('/auth/request-otp').send({ email }).expect(200);
  await request(app)
    .post('/auth/verify-otp')
    .send({ email, otp: outbox.lastCode(email) })
    .expect(200);
});
