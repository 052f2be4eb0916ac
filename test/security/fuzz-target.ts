import type { AddressInfo } from 'node:net';
import type express from 'express';
import type { otpAuth, OtpAuth, OtpAuthOptions } from '../../src/index.js';
import type { ApiDocument } from './fuzz-judge.js';
import type { FuzzTarget, Haul } from './fuzz-run.js';

/** An application with everything on, for requests from anywhere. */
export interface RunningTarget extends FuzzTarget {
  auth: OtpAuth;
  close(): Promise<void>;
}

const MOUNT_PATH = '/auth';
const KEPT_CODES = 20;

/**
 * Starts one, of whichever build of the package and version of Express it is given.
 *
 * @param parsesFirst - Whether the application reads bodies and nested queries before the router does.
 */
export async function startTarget(
  build: { otpAuth: typeof otpAuth; express: typeof express },
  options: OtpAuthOptions,
  { parsesFirst }: { parsesFirst: boolean },
): Promise<RunningTarget> {
  const codes: string[] = [];
  const byAddress = new Map<string, string>();
  const keep = (to: string, code: string) => {
    byAddress.set(to, code);
    codes.unshift(code);
    codes.length = Math.min(codes.length, KEPT_CODES);
  };
  const most = 1_000_000;
  const auth = build.otpAuth({
    logger: { debug() {}, info() {}, warn() {}, error() {} },
    // A busy machine is no fault of the package here.
    storeTimeoutMs: 30_000,
    docs: true,
    totp: 'optional',
    pages: true,
    ...options,
    jwt: { secret: 'a secret for tests, of more than thirty-two bytes', ...options.jwt },
    users: { store: 'memory', ...options.users, firstAdmin: 'admin@example.com' },
    cookie: { accessToken: true, ...options.cookie },
    otp: { resendCooldownSeconds: 0, ...options.otp },
    // All requests come from one address, and for few identifiers.
    limits: {
      requestsPerIpPerMinute: most,
      verifiesPerIpPerMinute: most,
      sendsPerHour: 1000,
      sendsPerDay: 1000,
      ...options.limits,
    },
    email: { send: ({ to, text }) => keep(to, /^\d{6}$/m.exec(text)?.[0] ?? '') },
    sms: { send: ({ to, code }) => keep(to, code), allowedCountries: ['DE'] },
  });
  const app = build.express();
  if (parsesFirst) {
    app.set('query parser', 'extended');
    const parsers = [build.express.json({ limit: '1mb', strict: false }), build.express.urlencoded({ extended: true })];
    // What they make of nonsense is the application's business; here it goes on without a body.
    for (const parser of parsers) app.use((req, res, next) => parser(req, res, () => next()));
  }
  app.use(MOUNT_PATH, auth);
  app.get('/me', auth.requireUser, (req, res) => {
    res.json(req.user);
  });
  const server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;

  const post = async (path: string, body: object) => {
    const answer = await fetch(`http://127.0.0.1:${port}${MOUNT_PATH}${path}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    return (await answer.json()) as Record<string, unknown>;
  };

  return {
    auth,
    port,
    surface: {
      mountPath: MOUNT_PATH,
      routes: routesOf(auth),
      cookieNames: ['refresh_token', 'device_token', 'access_token'],
    },
    document: auth.openapi() as unknown as ApiDocument,
    codes: () => codes,
    async signIn(person): Promise<Haul> {
      await post('/request-otp', person);
      const otp = byAddress.get('email' in person ? person.email : person.phone_number);
      const body = await post('/verify-otp', { ...person, otp, token_transport: 'body' });
      const { id, sessionId } = await auth.api.authenticate(String(body['access_token']));
      return {
        accessToken: String(body['access_token']),
        refreshToken: String(body['refresh_token']),
        deviceToken: String(body['device_token']),
        ids: [id, sessionId],
      };
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await auth.close();
    },
  };
}

/** The router's own table, so that what is added to it is attacked as well. */
function routesOf(auth: OtpAuth): { method: string; path: string }[] {
  const layers = auth.stack as unknown as { route?: { path: string; methods: Record<string, boolean> } }[];
  return layers.flatMap(({ route }) =>
    Object.keys(route?.methods ?? {})
      .filter((method) => method !== '_all' && method !== 'head')
      .map((method) => ({ method, path: (route as { path: string }).path })),
  );
}
