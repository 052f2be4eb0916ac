import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import addFormats from 'ajv-formats';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { generateSync } from 'otplib';
import { memoryStore, type OtpAuth, type OtpAuthOptions } from '../../src/index.js';
import { createOpenApi } from '../../src/http/openapi/route.js';
import { isPartOfPage } from '../../src/http/openapi/document.js';
import { type AuthApp, startAuthApp } from '../support/auth-app.js';
import { type Answer, call, type Call, cookieHeader } from '../support/call.js';

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const EVERYTHING: OtpAuthOptions = {
  users: { store: 'memory', firstAdmin: 'admin@example.com' },
  totp: 'optional',
  docs: true,
  sms: { send: () => {}, allowedCountries: ['DE'] },
  jwt: { algorithm: 'ES256', privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() },
  limits: { requestsPerIpPerMinute: 1000, verifiesPerIpPerMinute: 1000, sendsPerHour: 1000, sendsPerDay: 1000 },
};

const CONFIGURATIONS: [name: string, options: OtpAuthOptions][] = [
  ['the defaults', {}],
  ['everything', EVERYTHING],
  ['accounts without a second factor', { users: { store: 'memory' } }],
  ['a second factor that is required', { users: { store: 'memory' }, totp: 'required' }],
  [
    'pages and cookies',
    { pages: true, publicUrl: 'http://localhost/auth', cookie: { accessToken: true }, email: { link: true } },
  ],
];

describe('the API document', () => {
  it.each(CONFIGURATIONS)('is valid by the schema of OpenAPI 3.1, with %s', async (_name, options) => {
    const { auth } = await startAuthApp(options);
    expect(validity(auth.openapi())).toEqual({ valid: true, version: '3.1' });
  });

  it.each(CONFIGURATIONS)('has every route there is and no other, with %s', async (_name, options) => {
    const { auth } = await startAuthApp(options);
    const routes = routesOf(auth).filter((route) => !isPartOfPage(route));
    expect(operationsOf(auth).map(({ key }) => key)).toEqual(
      routes.map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`).toSorted(),
    );
  });

  it('is the same at /openapi.json, and a copy for whoever asks in the process', async () => {
    const { auth, url } = await startAuthApp();
    const read = await call(`${url}/auth/openapi.json`, { method: 'GET' });
    expect([read.status, read.body]).toEqual([200, auth.openapi()]);
    auth.openapi().paths = {};
    expect(Object.keys(auth.openapi().paths)).toContain('/request-otp');
  });

  it('costs nothing before somebody asks', () => {
    const untouchable = new Proxy(
      {},
      {
        get: () => {
          throw new Error('looked at');
        },
      },
    ) as never;
    const deps = { routes: untouchable, schemas: untouchable, userSchemas: untouchable };
    expect(() =>
      createOpenApi({
        ...deps,
        secondFactor: 'optional',
        appName: 'App',
        hasPhones: false,
        hasPages: false,
        cookie: {
          name: 'refresh_token',
          accessToken: false,
          accessTokenName: 'access_token',
          secure: true,
          sameSite: 'lax',
          path: '/',
        },
      }),
    ).not.toThrow();
  });

  it('asks for an e-mail address, or where codes go to phones for one of the two', async () => {
    const bodyOf = async (options: OtpAuthOptions) => {
      const { auth } = await startAuthApp(options);
      return auth.openapi().components['schemas']?.['RequestOtp'];
    };
    expect(await bodyOf({})).toMatchObject({ required: ['email'] });
    expect(await bodyOf({})).not.toHaveProperty('properties.phone_number');
    expect(await bodyOf(EVERYTHING)).toMatchObject({
      oneOf: [{ required: ['email'] }, { required: ['phone_number'] }],
    });
  });

  it('names the refresh cookie as browsers know it', async () => {
    const nameWith = async (options: OtpAuthOptions) => {
      const { auth } = await startAuthApp(options);
      return auth.openapi().components['securitySchemes']?.['refreshCookie'];
    };
    expect(await nameWith({})).toMatchObject({ name: 'refresh_token' });
    expect(await nameWith({ cookie: { secure: true } })).toMatchObject({ name: '__Host-refresh_token' });
    expect(await nameWith({ cookie: { secure: true, path: '/auth' } })).toMatchObject({ name: 'refresh_token' });
  });

  it('agrees with what the endpoints take: good bodies validate, bad ones do not', async () => {
    const { auth } = await startAuthApp(EVERYTHING);
    const takes = bodyValidator(auth);
    expect(takes('RequestOtp', { email: 'ann@example.com', locale: 'de' })).toBe(true);
    expect(takes('RequestOtp', { email: 'ann@example.com', phone_number: '+4915112345678' })).toBe(false);
    expect(takes('RequestOtp', {})).toBe(false);
    expect(takes('VerifyOtp', { email: 'ann@example.com', otp: '123456' })).toBe(true);
    expect(takes('VerifyOtp', { email: 'ann@example.com', otp: 123456 })).toBe(false);
    expect(takes('CreateUser', { email: 'ann@example.com', roles: ['user'], full_name: null })).toBe(true);
    expect(takes('UpdateUser', { disabled: 'yes' })).toBe(false);
  });
});

describe('live answers and the API document', () => {
  it('agree on cookies that hold access tokens', async () => {
    const options = { pages: true, publicUrl: 'http://localhost/auth', cookie: { accessToken: true } };
    const running = await startAuthApp(options);
    const { auth, call: go } = createWalk(running);
    const [email, origin] = ['ann@example.com', { Origin: running.url }];
    await go('get', '/sign-in');
    await go('get', '/sign-out');
    await go('post', '/request-otp', { body: { email }, headers: origin });
    const signedIn = await go('post', '/verify-otp', { body: { email, otp: running.lastCode(email) } });
    const access = signedIn.cookies.find(({ name }) => name === 'access_token')!;
    await go('get', '/sessions', { headers: cookieHeader(access) });
    const foreign = { ...cookieHeader(access), 'Sec-Fetch-Site': 'cross-site' };
    expect((await go('post', '/logout-all', { headers: foreign })).status).toBe(403);
    expect((await go('post', '/logout-all', { headers: cookieHeader(access) })).status).toBe(200);
    expect(auth.openapi().components['securitySchemes']).toHaveProperty('accessCookie.name', 'access_token');
  });

  it('agree, for every endpoint’s successes and errors', async () => {
    const running = await startAuthApp(EVERYTHING);
    const walk = createWalk(running);
    for (const go of [walkAsUser, walkAsAdmin, walkErrors, walkLimits, walkOutage]) await go(running, walk);
    expect(walk.unseen()).toEqual([]);
  });
});

/** Calls endpoints, checks each answer against the document, and notes which answers have been seen. */
interface Walk {
  auth: OtpAuth;
  call: (method: string, path: string, request?: Call, at?: AuthApp) => Promise<Answer>;
  /** Answers that the document has, and no call has had. */
  unseen: () => string[];
}

function createWalk({ url, auth }: AuthApp): Walk {
  const operations = operationsOf(auth);
  const validate = answerValidator(auth);
  const seen = new Set<string>();
  return {
    auth,
    async call(method, path, request = {}, at) {
      const answer = await call(`${at?.url ?? url}/auth${path}`, { method: method.toUpperCase(), ...request });
      const key = keyFor(operations, method, path.split('?')[0] as string);
      const problem = validate(key, answer);
      if (problem !== undefined) throw new Error(`${key} ${answer.status}: ${problem}\n${answer.text}`);
      seen.add(`${key} ${answer.status}`);
      return answer;
    },
    unseen: () =>
      operations
        .flatMap(({ key, operation }) => Object.keys(operation.responses).map((status) => `${key} ${status}`))
        .filter((answer) => !seen.has(answer)),
  };
}

async function walkAsUser(running: AuthApp, { call: go }: Walk): Promise<void> {
  const email = 'ann@example.com';
  const code = async (to = email) => {
    await go('post', '/request-otp', { body: { email: to } });
    return running.lastCode(to);
  };
  const form = (fields: Record<string, string>): Call => ({
    body: new URLSearchParams(fields).toString(),
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
  });
  const bearer = (answer: Answer): Call => ({ headers: { Authorization: `Bearer ${answer.body.access_token}` } });

  const byCookie = await go('post', '/verify-otp', { body: { email, otp: await code() } });
  const cookie = cookieHeader(byCookie.cookies.find(({ name }) => name === 'refresh_token')!);
  const refreshed = await go('post', '/refresh', { headers: cookie });
  await go('post', '/logout', bearer(refreshed));
  await go('post', '/logout', {});
  await go('post', '/refresh', {});
  await go('post', '/refresh', { body: { refresh_token: 'none' } });

  const inBody = await go('post', '/verify-otp', { body: { email, otp: await code(), token_transport: 'body' } });
  await go('post', '/refresh', { body: { refresh_token: inBody.body.refresh_token } });
  const listed = await go('get', '/sessions', bearer(inBody));
  const [session] = listed.body['data'] as { id: string }[];
  await go('delete', `/sessions/${session!.id}x`, bearer(inBody));
  await go('delete', `/sessions/${session!.id}`, bearer(inBody));

  const granted = await go('post', '/token', form({ grant_type: 'password', username: email, password: await code() }));
  await go('post', '/token', form({ grant_type: 'refresh_token', refresh_token: String(granted.body.refresh_token) }));
  await go('post', '/token', form({ grant_type: 'password', username: email, password: '000000' }));
  await go('post', '/revoke', form({ token: 'any' }));
  await go('post', '/revoke', form({}));
  await go('get', '/.well-known/jwks.json');
  await go('get', '/openapi.json');
  await go('get', '/docs');

  const me = bearer(await go('post', '/verify-otp', { body: { email, otp: await code() } }));
  await go('get', '/users/me', me);
  await go('patch', '/users/me', { ...me, body: { full_name: 'Ann' } });
  await go('patch', '/users/me', { ...me, body: { full_name: 7 } });
  const next = 'ann@example.org';
  await go('post', '/users/me/identifier', { ...me, body: { email: next } });
  await go('post', '/users/me/identifier/verify', { ...me, body: { email: next, otp: '000000' } });
  await go('post', '/users/me/identifier/verify', { ...me, body: { email: next, otp: running.lastCode(next) } });

  const { body: enrolment } = await go('post', '/totp/enroll', me);
  const appCode = () =>
    generateSync({ secret: String(enrolment['secret']), epoch: Math.floor(running.clock.now() / 1000) });
  const later = () => running.clock.advanceSeconds(30);
  await go('post', '/totp/confirm', { ...me, body: { code: '000000' } });
  await go('post', '/totp/confirm', { ...me, body: { code: appCode() } });
  await go('post', '/totp/enroll', me);
  await go('post', '/totp/confirm', { ...me, body: { code: appCode() } });
  const challenge = await go('post', '/verify-otp', { body: { email: next, otp: await code(next) } });
  const mfa_token = challenge.body['mfa_token'];
  later();
  await go('post', '/totp/verify', { body: { mfa_token, code: '000000' } });
  await go('post', '/totp/verify', { body: { mfa_token: 'none', code: appCode() } });
  await go('post', '/totp/verify', { body: { mfa_token, code: appCode() } });
  later();
  await go('post', '/totp/recovery-codes', { ...me, body: { code: '000000' } });
  await go('post', '/totp/recovery-codes', { ...me, body: { code: appCode() } });
  later();
  await go('post', '/totp/disable', { ...me, body: { code: appCode() } });
  await go('post', '/totp/disable', { ...me, body: { code: appCode() } });
  await go('post', '/totp/recovery-codes', { ...me, body: { code: appCode() } });
  await go('delete', '/users/me', me);

  await go('post', '/logout-all', bearer(await go('post', '/verify-otp', { body: { email, otp: await code() } })));
}

async function walkAsAdmin(running: AuthApp, { call: go }: Walk): Promise<void> {
  const asAdmin = { headers: { Authorization: (await running.signIn('admin@example.com')).authorization } };
  const asBob = { headers: { Authorization: (await running.signIn('bob@example.com')).authorization } };
  await go('get', '/users?limit=10&query=bob', asAdmin);
  await go('get', '/users?limit=lots', asAdmin);
  const { body } = await go('post', '/users', { ...asAdmin, body: { email: 'carl@example.com' } });
  await go('post', '/users', { ...asAdmin, body: { email: 'carl@example.com' } });
  const carl = `/users/${String(body['id'])}`;
  for (const path of [carl, '/users/nobody']) {
    await go('get', path, asAdmin);
    await go('patch', path, { ...asAdmin, body: { roles: ['user', 'editor'] } });
    await go('patch', path, { ...asAdmin, body: { email: 'bob@example.com' } });
    await go('delete', path, asAdmin);
    for (const method of ['get', 'patch', 'delete']) await go(method, path, asBob);
  }
  await go('get', '/users', asBob);
  await go('post', '/users', { ...asBob, body: { email: 'dora@example.com' } });
  const { data } = (await go('get', '/users?query=admin', asAdmin)).body as unknown as { data: [{ id: string }] };
  await go('delete', `/users/${data[0].id}`, asAdmin);
  await go('delete', '/users/me', asAdmin);
  await go('patch', '/users/me', { ...asAdmin, body: {} });
  const taken = { email: 'bob@example.com' };
  await go('post', '/users/me/identifier', { ...asAdmin, body: taken });
  await go('post', '/users/me/identifier/verify', {
    ...asAdmin,
    body: { ...taken, otp: running.lastCode(taken.email) },
  });
  running.clock.advanceSeconds(601);
  await go('post', '/users/me/identifier', { ...asAdmin, body: { email: 'x@example.com' } });
}

async function walkErrors(running: AuthApp, { auth, call: go }: Walk): Promise<void> {
  const { authorization } = await running.signIn('admin@example.com');
  for (const { method, path, operation } of operationsOf(auth)) {
    const address = path.replace('{id}', 'nobody');
    const statuses = Object.keys(operation.responses);
    const send = (body: string, headers: Record<string, string>) =>
      go(method, address, {
        body,
        headers: { Authorization: authorization, 'Content-Length': String(body.length), ...headers },
      });
    const mediaType = Object.keys(operation.requestBody?.content ?? {})[0] ?? 'application/json';
    if (statuses.includes('415')) await send('text', { 'Content-Type': 'text/plain' });
    if (statuses.includes('413')) await send('x'.repeat(8193), { 'Content-Type': mediaType });
    if (statuses.includes('400') && method !== 'get') {
      const unreadable = mediaType === 'application/json' ? '{' : 'a=1&'.repeat(2000);
      await send(unreadable, { 'Content-Type': mediaType });
    }
    if (statuses.includes('403')) await send('{}', { 'Content-Type': mediaType, 'Sec-Fetch-Site': 'cross-site' });
    if (operation.security.length > 0) {
      await go(method, address, {});
      await go(method, address, { headers: { Authorization: 'Bearer forged' } });
    }
  }
  const elsewhere = await startAuthApp({ jwt: { algorithm: 'HS256' } });
  await go('get', '/.well-known/jwks.json', {}, elsewhere);
  const wrongMethod = await call(`${running.url}/auth/refresh`, { method: 'PUT' });
  expect(problemValidator(auth)(wrongMethod.body)).toBe(true);
}

/** Signs somebody in who has an authenticator app. */
async function withSecondFactor(app: AuthApp, email: string) {
  const { authorization } = await app.signIn(email);
  const headers = { Authorization: authorization };
  const { body } = await call(`${app.url}/auth/totp/enroll`, { headers });
  const codeNow = () => generateSync({ secret: String(body['secret']), epoch: Math.floor(app.clock.now() / 1000) });
  await call(`${app.url}/auth/totp/confirm`, { headers, body: { code: codeNow() } });
  app.clock.advanceSeconds(30);
  await app.auth.api.requestOtp({ email });
  const challenge = await call(`${app.url}/auth/verify-otp`, { body: { email, otp: app.lastCode(email) } });
  return { headers, mfaToken: challenge.body['mfa_token'], codeNow };
}

async function walkLimits(_running: AuthApp, { call: go }: Walk): Promise<void> {
  const app = await startAuthApp({
    ...EVERYTHING,
    limits: { requestsPerIpPerMinute: 1, verifiesPerIpPerMinute: 1, secondFactorFailuresPerDay: 1 },
  });
  const { headers } = await withSecondFactor(app, 'ann@example.com');
  const enrolling = { Authorization: (await app.signIn('bob@example.com')).authorization };
  await call(`${app.url}/auth/totp/enroll`, { headers: enrolling });
  const body = { email: 'x@example.com' };
  const wrong = { code: '000000' };
  const mediaType = 'application/x-www-form-urlencoded';
  for (let time = 0; time < 2; time += 1) {
    await go('post', '/request-otp', { body }, app);
    await go('post', '/verify-otp', { body: { ...body, otp: '000000' } }, app);
    await go('post', '/totp/verify', { body: { mfa_token: 'none', ...wrong } }, app);
    await go('post', '/token', { body: 'grant_type=password', headers: { 'Content-Type': mediaType } }, app);
    await go('post', '/users/me/identifier', { headers, body }, app);
    await go('post', '/users/me/identifier/verify', { headers, body: { ...body, otp: '000000' } }, app);
    await go('post', '/totp/recovery-codes', { headers, body: wrong }, app);
    await go('post', '/totp/disable', { headers, body: wrong }, app);
    await go('post', '/totp/confirm', { headers: enrolling, body: wrong }, app);
  }
}

/** The store goes down, and the provider of messages with it. */
async function walkOutage(_running: AuthApp, { auth, call: go }: Walk): Promise<void> {
  const up = memoryStore();
  let outage = false;
  const store = new Proxy(up, {
    get: (target, name) => {
      const operation = Reflect.get(target, name) as (...args: unknown[]) => unknown;
      return (...args: unknown[]) => (outage ? Promise.reject(new Error('gone')) : operation(...args));
    },
  });
  let delivers = true;
  const app = await startAuthApp({
    ...EVERYTHING,
    store,
    // Its own list is what `lastCode` reads.
    email: { send: (mail) => (delivers ? app.mails.push(mail) : Promise.reject(new Error('refused'))) },
  });
  const { headers, mfaToken, codeNow } = await withSecondFactor(app, 'ann@example.com');
  const { refreshToken } = await app.signIn('bob@example.com');
  const body = { email: 'x@example.com' };
  delivers = false;
  await go('post', '/request-otp', { body }, app);
  await go('post', '/users/me/identifier', { headers, body }, app);
  delivers = true;
  app.clock.advanceSeconds(30);

  outage = true;
  const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
  await go('post', '/request-otp', { body }, app);
  await go('post', '/verify-otp', { body: { ...body, otp: '000000' } }, app);
  await go('post', '/refresh', { body: { refresh_token: refreshToken } }, app);
  await go('post', '/logout', { body: { refresh_token: refreshToken } }, app);
  await go('post', '/token', { body: `grant_type=refresh_token&refresh_token=${refreshToken}`, headers: form }, app);
  await go('post', '/revoke', { body: `token=${refreshToken}`, headers: form }, app);
  await go('post', '/totp/verify', { body: { mfa_token: mfaToken, code: codeNow() } }, app);
  for (const { method, path, operation } of operationsOf(auth))
    if (operation.security.some((demanded) => 'bearer' in demanded))
      await go(method, path.replace('{id}', 'nobody'), { headers }, app);
}

interface DocumentedOperation {
  operationId: string;
  security: Record<string, unknown>[];
  requestBody?: { content: Record<string, unknown> };
  responses: Record<
    string,
    { headers?: Record<string, unknown>; content?: Record<string, { schema: Record<string, unknown> }> }
  >;
}

function operationsOf(auth: OtpAuth): { key: string; method: string; path: string; operation: DocumentedOperation }[] {
  return Object.entries(auth.openapi().paths)
    .flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({
        key: `${method} ${path}`,
        method,
        path,
        operation: operation as DocumentedOperation,
      })),
    )
    .toSorted((a, b) => (a.key < b.key ? -1 : 1));
}

/** What Express has been told, whoever told it. */
function routesOf(auth: OtpAuth): { method: 'get'; path: string }[] {
  const layers = auth.stack as unknown as { route?: { path: string; methods: Record<string, boolean> } }[];
  return layers.flatMap(({ route }) =>
    Object.keys(route?.methods ?? {})
      .filter((method) => method !== '_all' && method !== 'head')
      .map((method) => ({ method: method as 'get', path: route!.path })),
  );
}

function keyFor(operations: ReturnType<typeof operationsOf>, method: string, path: string): string {
  const matches = ({ path: template, ...operation }: (typeof operations)[number]) =>
    operation.method === method && new RegExp(`^${template.replace(/\{\w+\}/g, '[^/]+')}$`).test(path);
  const exact = operations.find((operation) => operation.key === `${method} ${path}`);
  const found = exact ?? operations.find(matches);
  if (found === undefined) throw new Error(`${method} ${path} is not in the document`);
  return found.key;
}

/** What is wrong with an answer by the document; `undefined` where nothing is. Members that are not in it are wrong, too. */
function answerValidator(auth: OtpAuth): (key: string, answer: Answer) => string | undefined {
  const document = auth.openapi();
  const schemas = strict(document.components['schemas']) as Record<string, object>;
  const ajv = createAjv();
  ajv.addSchema({ $id: 'document', components: { schemas } });
  const compiled = new Map<string, ReturnType<typeof ajv.compile>>();
  const operations = new Map(operationsOf(auth).map(({ key, operation }) => [key, operation]));
  const headers = document.components['headers'] as Record<string, { schema: Record<string, unknown> }>;

  return (key, answer) => {
    const described = operations.get(key)!.responses[String(answer.status)];
    if (described === undefined) return 'the status is not in the document';
    for (const name of ['www-authenticate', 'retry-after', 'ratelimit', 'ratelimit-policy', 'set-cookie']) {
      const value = answer.headers[name];
      const documented = Object.keys(described.headers ?? {}).find((each) => each.toLowerCase() === name);
      if (value !== undefined && documented === undefined) return `the field ${name} is not in the document`;
      const hasChallenge = answer.status === 401 || answer.body.code === 'insufficient_scope';
      const isDue = name === 'retry-after' || (name === 'www-authenticate' && hasChallenge);
      if (value === undefined && isDue && documented !== undefined) return `the field ${name} is missing`;
      if (value === undefined || documented === undefined || name === 'set-cookie') continue;
      const sent = headers[documented]!.schema['type'] === 'integer' ? Number(value) : value;
      if (!ajv.validate(headers[documented]!.schema, sent)) return `${name}: ${ajv.errorsText()}`;
    }
    const mediaType = answer.headers['content-type']?.split(';')[0];
    if (described.content === undefined) return answer.text === '' ? undefined : 'there is a body';
    const content = described.content[mediaType ?? ''];
    if (content === undefined) return `${mediaType} is not in the document`;
    if (mediaType === 'text/html') return undefined;
    const inDocument = JSON.stringify(content.schema).replaceAll('"#/', '"document#/');
    const validate = compiled.get(inDocument) ?? ajv.compile(JSON.parse(inDocument) as object);
    compiled.set(inDocument, validate);
    return validate(answer.body) ? undefined : ajv.errorsText(validate.errors);
  };
}

function bodyValidator(auth: OtpAuth): (name: string, body: unknown) => boolean {
  const ajv = createAjv();
  ajv.addSchema({ $id: 'document', components: auth.openapi().components });
  return (name, body) => Boolean(ajv.validate({ $ref: `document#/components/schemas/${name}` }, body));
}

function problemValidator(auth: OtpAuth): (body: unknown) => boolean {
  const isValid = bodyValidator(auth);
  return (body) => isValid('Problem', body);
}

function createAjv(): Ajv2020 {
  const ajv = new Ajv2020({ allErrors: true, strict: false });
  (addFormats as unknown as { default: typeof addFormats.default }).default(ajv);
  return ajv;
}

/** The same schemas, with members that they do not name refused. */
function strict(schema: unknown): unknown {
  if (typeof schema !== 'object' || schema === null) return schema;
  if (Array.isArray(schema)) return schema.map(strict);
  const inner = Object.fromEntries(Object.entries(schema).map(([name, part]) => [name, strict(part)]));
  const isWhole = 'properties' in schema && !('additionalProperties' in schema);
  return isWhole ? { ...inner, additionalProperties: false } : inner;
}

/** By the schema that the OpenAPI Initiative publishes. The validator is an ECMAScript module, so it runs on its own. */
function validity(document: object): { valid: boolean; version: string } {
  const script = `
    import { Validator } from '@seriousme/openapi-schema-validator';
    const chunks = [];
    for await (const chunk of process.stdin) chunks.push(chunk);
    const validator = new Validator();
    const { valid, errors } = await validator.validate(JSON.parse(Buffer.concat(chunks)));
    console.log(JSON.stringify({ valid, errors, version: validator.version }));`;
  const said = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    input: JSON.stringify(document),
    encoding: 'utf8',
  });
  return JSON.parse(said) as { valid: boolean; version: string };
}
