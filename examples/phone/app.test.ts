import assert from 'node:assert/strict';
import test from 'node:test';
import { createTestAuth } from 'express-otp-auth/testing';
import request from 'supertest';
import { createApp, smsOptions } from './app.js';

test('signs in with the code in a text message, however the number is written', async () => {
  const { auth, outbox } = createTestAuth({ sms: smsOptions });
  const app = createApp(auth);
  await request(app).post('/auth/request-otp').send({ phone_number: '0151 1234 5678' }).expect(200);
  const number = '+4915112345678';
  assert.match(outbox.last(number)?.text ?? '', /^@app\.example\.com #\d{6}$/m);
  const { body } = await request(app)
    .post('/auth/verify-otp')
    .send({ phone_number: number, otp: outbox.lastCode(number) })
    .expect(200);
  const me = await request(app).get('/me').auth(body.access_token, { type: 'bearer' }).expect(200);
  assert.equal(me.body.phoneNumber, number);
});

test('sends nothing to other countries', async () => {
  const { auth, outbox } = createTestAuth({ sms: smsOptions });
  await request(createApp(auth)).post('/auth/request-otp').send({ phone_number: '+12125550100' }).expect(400);
  assert.equal(outbox.messages.length, 0);
});
