'use strict';
const express = require('express');
const { otpAuth } = require('express-otp-auth');

let mail;
let auth;
let server;
let origin;

beforeAll((done) => {
  auth = otpAuth({ redis: 'memory:', email: { send: (sent) => (mail = sent) } });
  const app = express();
  app.use('/auth', auth);
  app.get('/me', auth.requireUser, (req, res) => res.json(req.user));
  server = app.listen(0, '127.0.0.1', () => {
    origin = `http://127.0.0.1:${server.address().port}`;
    done();
  });
});

afterAll(async () => {
  server.close();
  server.closeAllConnections();
  await auth.close();
});

const post = (path, body, headers) =>
  fetch(origin + path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });

test('signs in and out in an ordinary jest project', async () => {
  expect((await post('/auth/request-otp', { email: 'jane@example.com' })).status).toBe(200);
  const [otp] = /\b\d{6}\b/.exec(mail.text);
  const verified = await post('/auth/verify-otp', { email: 'jane@example.com', otp });
  expect(verified.status).toBe(200);
  const Authorization = `Bearer ${(await verified.json()).access_token}`;
  const me = await fetch(`${origin}/me`, { headers: { Authorization } });
  expect(await me.json()).toMatchObject({ id: 'jane@example.com' });
  expect((await post('/auth/logout', {}, { Authorization })).status).toBe(200);
  expect((await fetch(`${origin}/me`, { headers: { Authorization } })).status).toBe(401);
});
