// Signs in to a consumer's server from outside, over HTTP, and out again; throws at the first answer that is wrong.
import assert from 'node:assert/strict';

/**
 * @param {string} origin of the server, whose package is mounted at /auth and which guards /me
 * @param {() => Promise<{to: string, text: string}>} nextMail
 */
export async function signInAndOut(origin, nextMail) {
  const email = 'Jane@Example.com';
  const post = (path, body, headers) =>
    fetch(origin + path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  const me = (headers) => fetch(`${origin}/me`, { headers });

  await expectStatus(401, me());
  const mail = nextMail();
  await expectStatus(200, post('/auth/request-otp', { email }));
  const { to, text } = await mail;
  assert.equal(to, 'jane@example.com');
  const otp = /\b\d{6}\b/.exec(text)?.[0];
  assert.ok(otp, `no code in the message:\n${text}`);

  const wrong = otp.replace(/\d/g, (digit) => (Number(digit) + 1) % 10);
  await expectStatus(400, post('/auth/verify-otp', { email, otp: wrong }));
  const verified = await expectStatus(200, post('/auth/verify-otp', { email, otp }));
  const cookie = verified.headers.getSetCookie().map((line) => line.split(';')[0]);
  assert.equal(
    cookie.some((line) => line.startsWith('refresh_token=')),
    true,
    'no refresh cookie',
  );
  const bearer = { Authorization: `Bearer ${(await verified.json()).access_token}` };
  const user = await (await expectStatus(200, me(bearer))).json();
  assert.equal(user.id, 'jane@example.com');
  assert.deepEqual(user.amr, ['otp']);

  const refreshed = await expectStatus(200, post('/auth/refresh', undefined, { Cookie: cookie.join('; ') }));
  const fresh = { Authorization: `Bearer ${(await refreshed.json()).access_token}` };
  await expectStatus(200, me(fresh));
  await expectStatus(200, post('/auth/logout', undefined, fresh));
  await expectStatus(401, me(fresh));
  await expectStatus(401, me(bearer));
}

async function expectStatus(status, answer) {
  const response = await answer;
  if (response.status === status) return response;
  throw new Error(`${response.url} answered ${response.status} in place of ${status}: ${await response.text()}`);
}
