import test from 'node:test';
import { createTestAuth } from 'express-otp-auth/testing';
import request from 'supertest';
import { createApp } from './app.js';

test('greets whoever is signed in', async () => {
  const { auth, signIn } = createTestAuth();
  const { authorization } = await signIn('ann@example.com');
  await request(createApp(auth))
    .get('/api/greeting')
    .set('Authorization', authorization)
    .expect(200, { greeting: 'Hello, ann@example.com.' });
});

test('greets nobody else', async () => {
  const { auth } = createTestAuth();
  await request(createApp(auth)).get('/api/greeting').expect(401);
});

test('greets nobody whose token has expired', async () => {
  const { auth, clock, signIn } = createTestAuth();
  const { authorization } = await signIn('ann@example.com');
  clock.advance(60 * 60);
  await request(createApp(auth)).get('/api/greeting').set('Authorization', authorization).expect(401);
});
