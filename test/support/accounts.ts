import type { OtpAuthOptions, UserProfile } from '../../src/index.js';
import { type AuthApp, fakeClock, type SignedIn, startAuthApp } from './auth-app.js';
import { type Answer, call } from './call.js';

export const JANE = 'jane@example.com';
export const JOHN = 'john@example.com';
export const BOSS = 'boss@example.com';
export const PHONE = '+4915112345678';

/** An application with accounts. */
export interface Accounts extends AuthApp {
  /** Sends one request to a path under the mount path, as this user. */
  as(user: Pick<SignedIn, 'authorization'> | undefined, method: string, path: string, body?: unknown): Promise<Answer>;
  /** Puts a user in place and signs the user in. */
  signedIn(email: string, user?: { roles?: string[]; fullName?: string }): Promise<SignedIn & UserProfile>;
  /** Asks for a code as anybody would, and reads the mail. */
  codeFor(email: string): Promise<string>;
  /** Resolves when a message after the first so many has gone to the address. */
  sentTo(email: string, before: number): Promise<void>;
}

export async function startAccounts(options: OtpAuthOptions, clock = fakeClock()): Promise<Accounts> {
  const app = await startAuthApp(
    { ...options, limits: { requestsPerIpPerMinute: 10_000, verifiesPerIpPerMinute: 10_000, ...options.limits } },
    clock,
  );
  const as: Accounts['as'] = (user, method, path, body) =>
    call(`${app.url}/auth${path}`, {
      method,
      body,
      headers: user === undefined ? {} : { Authorization: user.authorization },
    });
  const codeFor = async (email: string) => {
    const before = app.mails.length;
    const { status } = await as(undefined, 'POST', '/request-otp', { email });
    if (status !== 200) throw new Error(`no code: ${status}`);
    await sentTo(email, before);
    return app.lastCode(email);
  };
  /** Mail goes out in the background where sign-up is closed: this waits until it has. */
  const sentTo = async (email: string, before: number) => {
    const giveUpAt = performance.now() + 20_000;
    while (!app.mails.slice(before).some(({ to }) => to === email)) {
      if (performance.now() > giveUpAt) throw new Error('nothing was sent');
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  return {
    ...app,
    as,
    codeFor,
    sentTo,
    async signedIn(email, user = {}) {
      const { data } = await app.auth.api.listUsers({ query: email });
      const known = data.find((each) => each.email === email) ?? (await app.auth.api.createUser({ email, ...user }));
      const { accessToken, refreshToken } = await app.auth.api.verifyOtp({ email, otp: await codeFor(email) });
      return { ...known, accessToken, refreshToken, authorization: `Bearer ${accessToken}` };
    },
  };
}
