import type { OtpAuthOptions } from '../../src/index.js';
import { type Accounts, JANE, JOHN, PHONE, startAccounts } from '../support/accounts.js';
import { describeOnEachUserStore } from '../support/each-user-store.js';

const NEW = 'doe@example.com';
const REQUEST = '/users/me/identifier';
const VERIFY = '/users/me/identifier/verify';

describeOnEachUserStore('a change of identifier', (stored) => {
  const start = (options: OtpAuthOptions = {}) => startAccounts({ ...stored(), ...options });
  const stillSignedIn = async ({ url }: Accounts, { authorization }: { authorization: string }) =>
    (await fetch(`${url}/me`, { headers: { authorization } })).status === 200;
  const codesTo = ({ mails }: Accounts, to: string) =>
    mails.filter((mail) => mail.to === to && mail.purpose === 'change-identifier').length;

  it('sends a code to the new address, and with it puts that in place and tells the old one', async () => {
    const app = await start();
    const jane = await app.signedIn(JANE);
    const asked = await app.as(jane, 'POST', REQUEST, { email: ' DOE@example.com' });
    expect({ status: asked.status, body: asked.body }).toEqual({
      status: 200,
      body: { message: 'OTP sent successfully', expires_in: 300, resend_in: 0 },
    });
    expect(codesTo(app, NEW)).toBe(1);
    expect(codesTo(app, JANE)).toBe(0);
    expect((await app.as(jane, 'GET', '/users/me')).body['email']).toBe(JANE);

    const { status, body } = await app.as(jane, 'POST', VERIFY, { email: NEW, otp: app.lastCode(NEW) });
    expect({ status, id: body['id'], email: body['email'] }).toEqual({ status: 200, id: jane.id, email: NEW });
    await app.as(jane, 'GET', '/users/me'); // by then the notice, which nobody waits for, is out
    const notices = app.mails.filter(({ purpose }) => purpose === 'identifier_changed');
    expect(notices).toMatchObject([{ to: JANE, locale: 'en' }]);
    expect(notices[0]?.text).not.toContain(NEW);
  });

  it('signs in with the new address from then on, and makes the old one a stranger’s', async () => {
    const app = await start();
    const jane = await app.signedIn(JANE);
    await app.as(jane, 'POST', REQUEST, { email: NEW });
    await app.as(jane, 'POST', VERIFY, { email: NEW, otp: app.lastCode(NEW) });
    expect((await app.signedIn(NEW)).id).toBe(jane.id);
    const { accessToken } = await app.auth.api.refresh({ refreshToken: jane.refreshToken });
    expect(await app.auth.api.authenticate(accessToken)).toMatchObject({ id: jane.id, email: NEW });
    expect((await app.signedIn(JANE)).id).not.toBe(jane.id);
  });

  it('ends the user’s other sessions, and not the one that it was done in', async () => {
    const app = await start();
    const elsewhere = await app.signedIn(JANE);
    const jane = await app.signedIn(JANE);
    await app.as(jane, 'POST', REQUEST, { email: NEW });
    await app.as(jane, 'POST', VERIFY, { email: NEW, otp: app.lastCode(NEW) });
    expect(await stillSignedIn(app, jane)).toBe(true);
    expect(await stillSignedIn(app, elsewhere)).toBe(false);
  });

  it('makes no use of a sign-in code, nor a sign-in of its own', async () => {
    const app = await start();
    const jane = await app.signedIn(JANE);
    const signInCode = await app.codeFor(NEW);
    expect(await app.as(jane, 'POST', VERIFY, { email: NEW, otp: signInCode })).toMatchObject({
      status: 400,
      body: { code: 'invalid_otp' },
    });
    await app.as(jane, 'POST', REQUEST, { email: NEW });
    const otp = app.lastCode(NEW);
    expect(await app.as(undefined, 'POST', '/verify-otp', { email: NEW, otp })).toMatchObject({
      status: 400,
      body: { code: 'invalid_otp' },
    });
    expect(await app.as(jane, 'POST', VERIFY, { email: NEW, otp })).toMatchObject({ status: 200 });
  });

  it('takes a code for the address and from the user that it was made for, and once', async () => {
    const app = await start();
    const jane = await app.signedIn(JANE);
    const john = await app.signedIn(JOHN);
    await app.as(jane, 'POST', REQUEST, { email: NEW });
    const otp = app.lastCode(NEW);
    const refused = { status: 400, body: { code: 'invalid_otp' } };
    expect(await app.as(jane, 'POST', VERIFY, { email: 'other@example.com', otp })).toMatchObject(refused);
    expect(await app.as(john, 'POST', VERIFY, { email: NEW, otp })).toMatchObject(refused);
    expect(await app.as(jane, 'POST', VERIFY, { email: NEW, otp })).toMatchObject({ status: 200 });
    expect(await app.as(jane, 'POST', VERIFY, { email: NEW, otp })).toMatchObject(refused);
  });

  it('tells nobody but its holder that an address is taken', async () => {
    const app = await start();
    const jane = await app.signedIn(JANE);
    const john = await app.signedIn(JOHN);
    const free = await app.as(jane, 'POST', REQUEST, { email: NEW });
    const taken = await app.as(jane, 'POST', REQUEST, { email: JOHN });
    expect({ ...taken, headers: {} }).toEqual({ ...free, headers: {} });
    expect(codesTo(app, JOHN)).toBe(codesTo(app, NEW));
    const wrong = (email: string) => app.as(jane, 'POST', VERIFY, { email, otp: '000000' });
    expect((await wrong(JOHN)).body).toEqual((await wrong(NEW)).body);
    expect(await app.as(jane, 'POST', VERIFY, { email: JOHN, otp: app.lastCode(JOHN) })).toMatchObject({
      status: 409,
      body: { code: 'conflict' },
    });
    expect(await app.auth.api.getUser(jane.id)).toMatchObject({ email: JANE });
    expect(await app.auth.api.getUser(john.id)).toMatchObject({ email: JOHN });
  });

  it('asks for a recent sign-in, at both steps', async () => {
    const app = await start({ otp: { expirySeconds: 600 } });
    const jane = await app.signedIn(JANE);
    app.clock.advanceSeconds(599);
    expect(await app.as(jane, 'POST', REQUEST, { email: NEW })).toMatchObject({ status: 200 });
    app.clock.advanceSeconds(2);
    const stale = { status: 401, body: { code: 'reauthentication_required', max_age: 600 } };
    expect(await app.as(jane, 'POST', REQUEST, { email: NEW })).toMatchObject(stale);
    expect(await app.as(jane, 'POST', VERIFY, { email: NEW, otp: app.lastCode(NEW) })).toMatchObject(stale);
  });

  it('has the limits of any code', async () => {
    const app = await start({ otp: { resendCooldownSeconds: 30 }, limits: { failuresPerDay: 2 } });
    const jane = await app.signedIn(JANE);
    await app.as(jane, 'POST', REQUEST, { email: NEW });
    expect(await app.as(jane, 'POST', REQUEST, { email: NEW })).toMatchObject({
      status: 429,
      headers: { 'retry-after': '30' },
    });
    for (let time = 0; time < 2; time += 1) await app.as(jane, 'POST', VERIFY, { email: NEW, otp: '000000' });
    expect(await app.as(jane, 'POST', VERIFY, { email: NEW, otp: app.lastCode(NEW) })).toMatchObject({ status: 429 });
    expect(await app.auth.api.getUser(jane.id)).toMatchObject({ email: JANE });
  });

  it('counts among the requests of an address of the network', async () => {
    const app = await start({ limits: { requestsPerIpPerMinute: 3, verifiesPerIpPerMinute: 3 } });
    const jane = await app.signedIn(JANE);
    const statuses: number[] = [];
    for (let time = 0; time < 3; time += 1)
      statuses.push((await app.as(jane, 'POST', REQUEST, { email: `${time}@example.com` })).status);
    for (let time = 0; time < 4; time += 1)
      statuses.push((await app.as(jane, 'POST', VERIFY, { email: `${time}@example.com`, otp: '000000' })).status);
    expect(statuses).toEqual([200, 200, 429, 400, 400, 400, 429]);
  });

  it('gives a user a phone number besides the address, and tells the address', async () => {
    const texts: { to: string; code: string }[] = [];
    const app = await start({ sms: { allowedCountries: ['DE'], send: (sms) => texts.push(sms) } });
    const jane = await app.signedIn(JANE);
    await app.as(jane, 'POST', REQUEST, { phone_number: '+49 151 12345678' });
    expect(texts).toMatchObject([{ to: PHONE }]);
    const otp = texts[0]?.code;
    expect(await app.as(jane, 'POST', VERIFY, { phone_number: PHONE, otp })).toMatchObject({
      status: 200,
      body: { email: JANE, phone_number: PHONE },
    });
    await app.as(jane, 'GET', '/users/me');
    expect(app.mails.filter(({ purpose }) => purpose === 'identifier_changed')).toMatchObject([{ to: JANE }]);
  });

  it('tells nobody where nothing changes', async () => {
    const app = await start();
    const jane = await app.signedIn(JANE);
    await app.as(jane, 'POST', REQUEST, { email: JANE });
    expect(await app.as(jane, 'POST', VERIFY, { email: JANE, otp: app.lastCode(JANE) })).toMatchObject({
      status: 200,
      body: { email: JANE },
    });
    await app.as(jane, 'GET', '/users/me');
    expect(app.mails.filter(({ purpose }) => purpose === 'identifier_changed')).toEqual([]);
  });

  it.each([
    ['nothing', {}, 'email'],
    ['two identifiers', { email: NEW, phone_number: PHONE }, 'phone_number'],
    ['what is no address', { email: 'jane' }, 'email'],
    ['a phone number where no messages go to', { phone_number: PHONE }, 'phone_number'],
    ['what is no language', { email: NEW, locale: '<b>' }, 'locale'],
  ])('refuses %s', async (_what, body, path) => {
    const app = await start();
    const jane = await app.signedIn(JANE);
    expect(await app.as(jane, 'POST', REQUEST, body)).toMatchObject({
      status: 400,
      body: { code: 'invalid_request', errors: [{ path }] },
    });
    const { status } = await app.as(jane, 'POST', VERIFY, { ...body, otp: '123456' });
    expect(status).toBe(400);
  });

  it('is done by a function as well, for the application itself', async () => {
    const app = await start();
    const jane = await app.signedIn(JANE);
    const elsewhere = await app.signedIn(JANE);
    const sessionId = (await app.auth.api.authenticate(jane.accessToken)).sessionId;
    const { api } = app.auth;
    const sent = await api.requestIdentifierChange(jane.id, { email: NEW, locale: 'de' });
    expect(sent).toEqual({ message: 'OTP sent successfully', expiresIn: 300, resendIn: 0 });
    const changed = await api.verifyIdentifierChange(jane.id, { email: NEW, otp: app.lastCode(NEW), sessionId });
    expect(changed).toMatchObject({ id: jane.id, email: NEW });
    expect([await stillSignedIn(app, jane), await stillSignedIn(app, elsewhere)]).toEqual([true, false]);
    await expect(api.requestIdentifierChange('nobody', { email: NEW })).rejects.toMatchObject({
      code: 'invalid_token',
    });
  });
});
