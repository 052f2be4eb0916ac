const assert = require('node:assert/strict');
const test = require('node:test');
const { createTestAuth } = require('express-otp-auth/testing');
const request = require('supertest');
const { createApp } = require('./app.js');

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
