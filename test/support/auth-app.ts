import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import express, { type Express } from 'express';
import { type Logger, otpAuth, type OtpAuth, type OtpAuthOptions, type OutgoingEmail } from '../../src/index.js';
import { closeAfterFile } from './closing.js';

export const SECRET = 'a secret for tests, of more than thirty-two bytes';
export const START_MS = Date.UTC(2026, 0, 15, 12);

/** A clock that moves when it is told to. */
export interface FakeClock {
  now(): number;
  advanceSeconds(seconds: number): void;
}

export function fakeClock(startMs = START_MS): FakeClock {
  let nowMs = startMs;
  return {
    now: () => nowMs,
    advanceSeconds: (seconds) => {
      nowMs += seconds * 1000;
    },
  };
}

/** Who is signed in, and with what. */
export interface SignedIn {
  accessToken: string;
  refreshToken: string;
  authorization: string;
}

/** An application with the router at /auth and a guarded route at /me, on a real port. */
export interface AuthApp {
  app: Express;
  auth: OtpAuth;
  url: string;
  clock: FakeClock;
  mails: OutgoingEmail[];
  /** What was logged, a line each, with its level in front. */
  logged: string[];
  lastCode: (to: string) => string;
  /** The whole way, with the refresh token in the body. */
  signIn: (email: string) => Promise<SignedIn>;
  close(): Promise<void>;
}

/** The application around the router. */
export interface Surroundings {
  /** The `express` of another major version. */
  createApp?: () => Express;
  /** @default '/auth' */
  mountPath?: string;
  /** What the application does before the router gets to see a request. */
  prepare?: (app: Express) => unknown;
}

/** Starts one. Sending is caught in `mails`; everything else is as the options say, in memory by default. It is closed after the file's last test. */
export async function startAuthApp(
  options: OtpAuthOptions = {},
  clock = fakeClock(),
  { createApp = express, mountPath = '/auth', prepare }: Surroundings = {},
): Promise<AuthApp> {
  const mails: OutgoingEmail[] = [];
  const logged: string[] = [];
  const auth = otpAuth({
    redis: 'memory:',
    storeTimeoutMs: 10_000, // the machine may be busy; tests of timeouts set their own
    clock,
    logger: recordingLogger(logged),
    ...options,
    email: { send: (mail) => mails.push(mail), ...options.email },
    jwt: { secret: SECRET, ...options.jwt },
    otp: { resendCooldownSeconds: 0, ...options.otp },
  });
  const app = createApp();
  prepare?.(app);
  app.use(mountPath, auth);
  app.get('/me', auth.requireUser, (req, res) => {
    res.json(req.user);
  });
  const server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  let closed = false;
  const close = async () => {
    if (closed) return;
    closed = true;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await auth.close();
  };
  closeAfterFile(close);

  const lastCode = (to: string) => {
    const mail = mails.findLast((one) => one.to === to);
    return /\b\d{6,10}\b/.exec(mail?.text ?? '')?.[0] ?? 'no code was sent';
  };
  return {
    app,
    auth,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    clock,
    mails,
    logged,
    lastCode,
    async signIn(email) {
      await auth.api.requestOtp({ email });
      const { accessToken, refreshToken } = await auth.api.verifyOtp({ email, otp: lastCode(email) });
      return { accessToken, refreshToken, authorization: `Bearer ${accessToken}` };
    },
    close,
  };
}

/** A logger that keeps what it is told, objects and causes spelled out. */
export function recordingLogger(lines: string[]): Logger {
  const at =
    (level: string) =>
    (...details: unknown[]) => {
      lines.push(`${level} ${details.map((detail) => inspect(detail, { depth: 10 })).join(' ')}`);
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
