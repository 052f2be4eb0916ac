import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTestAuth } from 'express-otp-auth/testing';
import { pino } from 'pino';
import { createApp } from './app.js';

async function start(t) {
  const lines = [];
  const { auth, outbox, signIn } = createTestAuth();
  const server = createApp(auth, pino({ level: 'info' }, { write: (line) => lines.push(JSON.parse(line)) })).listen(0);
  t.after(async () => {
    server.closeAllConnections();
    server.close();
    await auth.close();
  });
  const url = `http://localhost:${server.address().port}`;
  const get = (path) => fetch(url + path);
  const explain = (identifier, { authorization }) =>
    fetch(`${url}/support/explain`, {
      method: 'POST',
      headers: { Authorization: authorization, 'Content-Type': 'application/json' },
      body: JSON.stringify({ identifier }),
    });
  return { auth, outbox, signIn, lines, get, explain };
}

test('a sign-in leaves an audit trail without addresses, codes or tokens', async (t) => {
  const { auth, outbox, lines } = await start(t);
  const email = 'ann@example.com';
  await auth.api.requestOtp({ email });
  const otp = outbox.lastCode(email);
  const wrong = otp === '000000' ? '000001' : '000000';
  await assert.rejects(auth.api.verifyOtp({ email, otp: wrong }));
  const { accessToken } = await auth.api.verifyOtp({ email, otp });

  assert.deepEqual(
    lines.map(({ event, level }) => [event, level]),
    [
      ['otp.requested', 30],
      ['otp.rejected', 40],
      ['otp.verified', 30],
      ['session.started', 30],
    ],
  );
  assert.equal(lines[1].reason, 'wrong');
  assert.equal(lines[0].identifier, 'a***@example.com');
  for (const secret of [email, otp, accessToken]) assert.ok(!JSON.stringify(lines).includes(secret));
});

test('events become counters, and the store’s health a gauge', async (t) => {
  const { signIn, get } = await start(t);
  await signIn('ann@example.com');
  await signIn('bob@example.com');
  const metrics = await (await get('/metrics')).text();
  assert.match(metrics, /^otp_auth_events_total\{event="session\.started",detail="[a-z_]*"\} 2$/m);
  assert.match(metrics, /^otp_auth_store_up 1$/m);
  assert.ok(!metrics.includes('@'));
});

test('support staff can ask how somebody’s sign-in stands, and nobody else can', async (t) => {
  const { auth, signIn, explain } = await start(t);
  const email = 'ann@example.com';
  await auth.api.requestOtp({ email });
  const staff = await signIn('sue@example.com', { roles: ['support'] });
  assert.equal((await (await explain(email, staff)).json()).lastOutcome, 'waiting');
  assert.equal((await explain('nobody', staff)).status, 400);
  assert.equal((await explain(email, await signIn('bob@example.com'))).status, 403);
});
