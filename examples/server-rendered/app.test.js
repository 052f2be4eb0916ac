import assert from 'node:assert/strict';
import test from 'node:test';
import { createTestAuth } from 'express-otp-auth/testing';
import request from 'supertest';
import { browserOptions, createApp } from './app.js';

test('sends whoever is not signed in to the sign-in page', async () => {
  const { auth } = createTestAuth(browserOptions);
  await request(createApp(auth))
    .get('/notes')
    .set('Accept', 'text/html')
    .expect(303)
    .expect('Location', '/auth/sign-in?return_to=%2Fnotes');
});

test('shows people their own notes, and nobody else’s', async () => {
  const { auth, signIn } = createTestAuth(browserOptions);
  const app = createApp(auth);
  const as = async (email) => ({ Cookie: `access_token=${(await signIn(email)).accessToken}` });
  const [jo, ana] = [await as('jo@example.com'), await as('ana@example.com')];
  await request(app).post('/notes').set(jo).type('form').send({ text: 'Buy <tea>' }).expect(303);
  const own = await request(app).get('/notes').set(jo).expect(200);
  assert.match(own.text, /Buy &lt;tea&gt;/);
  const others = await request(app).get('/notes').set(ana).expect(200);
  assert.doesNotMatch(others.text, /Buy/);
});

test('takes no notes from other sites’ pages', async () => {
  const { auth, signIn } = createTestAuth(browserOptions);
  const { accessToken } = await signIn('jo@example.com');
  await request(createApp(auth))
    .post('/notes')
    .set({ Cookie: `access_token=${accessToken}`, Origin: 'https://evil.example' })
    .type('form')
    .send({ text: 'Buy junk' })
    .expect(403);
});
