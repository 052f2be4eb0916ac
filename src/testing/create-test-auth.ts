import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';
import type { Address, TokenPair } from '../api-terms.js';
import { isOtpAuthError } from '../errors.js';
import { userStoreVariable } from '../config.js';
import type { AuthenticatedUser } from '../core/authenticate.js';
import { parseEmail } from '../core/identifier.js';
import { createPhoneNumbers } from '../core/phone-number.js';
import type { CodeAddress, Logger, Store } from '../core/ports.js';
import { identifiersAsUsers, type User, type Users } from '../core/users.js';
import type { UserStore } from '../core/users/user-store.js';
import type { OtpAuthOptions } from '../options.js';
import { composeOtpAuth, type OtpAuth } from '../otp-auth.js';
import { memoryStore } from '../stores/memory/memory-store.js';
import { memoryUserStore } from '../stores/memory/memory-user-store.js';
import { openOutbox, type Outbox } from './outbox.js';
import { type TestClock, testClock } from './test-clock.js';

type SmsOptions = NonNullable<OtpAuthOptions['sms']>;

/**
 * The options of `otpAuth`, those of the application under test as they are: what would need Redis, the clock and what
 * sends messages are replaced. `sms.send` may be left out.
 */
export type TestAuthOptions = Omit<OtpAuthOptions, 'sms'> & {
  sms?: Omit<SmsOptions, 'send'> & Partial<Pick<SmsOptions, 'send'>>;
};

/** A user who is signed in, and what a test needs to act as that user. */
export interface TestSignIn {
  accessToken: string;
  refreshToken: string;
  /** The value of the `Authorization` header. */
  authorization: string;
  user: AuthenticatedUser;
}

/** What {@link createTestAuth} makes. */
export interface TestAuth {
  /** What `otpAuth` returns, to hand to the application under test. */
  auth: OtpAuth;
  outbox: Outbox;
  clock: TestClock;
  /**
   * Signs a user in by the real flow: a code is sent, and typed in. Limits on codes neither stop it nor count it. Who has
   * a second factor, or must have one, shows one.
   *
   * @param to - An e-mail address, or a phone number where the option `sms` is set.
   * @param as - `roles`: those that the user shall have from now on; who has no account yet gets one.
   * @throws OtpAuthError as `api.requestOtp` and `api.verifyOtp` do
   */
  signIn: (to: string, as?: { roles?: readonly string[] }) => Promise<TestSignIn>;
}

/** One address sends all the requests of a test run, within one minute of a clock that stands still. */
const NO_LIMIT_PER_IP = 1_000_000;

/** What the router logs is enough. */
const NO_LOG: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** Waits for what has been started to get on. Taken now, before a test puts a clock of its own in its place. */
const nextTurn = setImmediate;
const MOST_TURNS = 1000;

/**
 * Makes an `otpAuth` for an application's tests: in this process, with time that the test sets and messages that the
 * test reads. Needs no Redis, no mail server, no network, and no test runner in particular. Nothing has to be closed.
 *
 * @throws OtpAuthError `config_invalid`, as `otpAuth` does
 */
export function createTestAuth(options: TestAuthOptions = {}): TestAuth {
  const clock = testClock();
  const signingIn = new AsyncLocalStorage<SigningIn>();
  const phones = options.sms && createPhoneNumbers(options.sms, NO_LOG);
  const canonical = (to: string) => (to.includes('@') ? parseEmail(to) : phones?.parse(to))?.value ?? to;
  const { outbox, ...sending } = openOutbox(options, canonical, ({ code }) => signingIn.getStore()?.receive(code));
  const { redis: _redis, redisOptions: _redisOptions, sms, ...rest } = options;
  const userStore = userStoreOf(options.users?.store);
  const testOptions: OtpAuthOptions = {
    magicOtp: false, // an application's variables for development would have nothing sent
    ...rest,
    clock,
    revocation: 'check', // 'push' is for several processes
    ...(userStore && { users: { ...options.users, store: userStore } }),
    store: withOwnLanes(memoryStore({ clock }), signingIn),
    email: { ...options.email, ...sending.email },
    ...(sms && { sms: { ...sms, ...sending.sms } }),
    jwt: { ...options.jwt, secret: options.jwt?.secret ?? randomBytes(32).toString('base64url') },
    limits: {
      requestsPerIpPerMinute: NO_LIMIT_PER_IP,
      verifiesPerIpPerMinute: NO_LIMIT_PER_IP,
      ...options.limits,
    },
  };
  const auth = composeOtpAuth(testOptions, usersWithRoles(signingIn));

  async function giveRoles(address: Address, roles: readonly string[]): Promise<void> {
    await phones?.ready;
    const to = address.email ?? address.phoneNumber;
    const identifier = { kind: address.email === undefined ? 'phone' : 'email', value: canonical(to) } as const;
    const known = await userStore?.findByIdentifier(identifier);
    if (known) await auth.api.updateUser(known.id, { roles });
    else await auth.api.createUser({ ...address, roles });
  }

  async function signIn(to: string, { roles }: { roles?: readonly string[] } = {}): Promise<TestSignIn> {
    const address: Address = to.includes('@') ? { email: to } : { phoneNumber: to };
    if (roles !== undefined && userStore !== undefined) await giveRoles(address, roles);
    let code = options.magicOtp ? '0'.repeat(options.otp?.length ?? 6) : undefined;
    const receive = (received: string | undefined) => {
      code = received;
    };
    return signingIn.run({ lane: randomBytes(16).toString('base64url'), receive, roles }, async () => {
      await auth.api.requestOtp(address);
      // With `delivery: 'background'` the answer comes first.
      for (let turn = 0; code === undefined && turn < MOST_TURNS; turn += 1)
        await new Promise((resolve) => nextTurn(resolve));
      if (code === undefined) throw new Error('signIn: no code was sent');
      const tokens = auth.api.verifyOtp({ ...address, otp: code });
      return signedIn(
        await withSecondFactor(tokens, ({ mfaToken = '' }) => auth.api.verifyTotp({ mfaToken, code: ANY })),
      );
    });
  }

  async function signedIn({ accessToken, refreshToken }: TokenPair): Promise<TestSignIn> {
    const user = auth.api.authenticate(accessToken);
    const done = user.then((known) => ({
      accessToken,
      refreshToken,
      authorization: `Bearer ${accessToken}`,
      user: known,
    }));
    return withSecondFactor(done, async () => {
      // Everybody must have an app, and this user has none.
      const { sub, sid } = claimsOf(accessToken);
      await auth.api.enrollTotp(sub);
      await auth.api.confirmTotp(sub, { code: ANY, sessionId: sid });
      return signedIn(await auth.api.refresh({ refreshToken }));
    });
  }

  return { auth, outbox, clock, signIn };
}

/** An app's code: below `signIn` each is right, because the clock may stand still, and an app's codes are good once. */
const ANY = '000000';

/** What is attempted; where that wants a second factor, what `show` does. */
async function withSecondFactor<Done>(
  attempt: Promise<Done>,
  show: (details: { mfaToken?: string }) => Promise<Done>,
): Promise<Done> {
  try {
    return await attempt;
  } catch (error) {
    if (!isOtpAuthError(error) || error.code !== 'mfa_required') throw error;
    return show(error.details);
  }
}

function claimsOf(accessToken: string): { sub: string; sid: string } {
  const [, payload = ''] = accessToken.split('.');
  return JSON.parse(Buffer.from(payload, 'base64url').toString()) as { sub: string; sid: string };
}

/** What happens below a call of `signIn`. */
interface SigningIn {
  lane: string;
  receive(code: string | undefined): void;
  roles: readonly string[] | undefined;
}

/** What is neither is left to the configuration, which refuses it. */
function userStoreOf(store: unknown = userStoreVariable()): UserStore | undefined {
  if (store === 'redis' || store === 'memory') return memoryUserStore();
  return typeof store === 'object' && store !== null ? (store as UserStore) : undefined;
}

/** Without accounts nobody has roles; here, whoever was signed in with some. */
function usersWithRoles(signingIn: AsyncLocalStorage<SigningIn>): Users {
  const rolesOf = new Map<string, readonly string[]>();
  const withRoles = (user: User | undefined) => user && { ...user, roles: rolesOf.get(user.id) ?? user.roles };
  return {
    ...identifiersAsUsers,
    async signIn(identifier) {
      const { roles } = signingIn.getStore() ?? {};
      if (roles !== undefined) rolesOf.set(identifier.value, roles);
      return withRoles(await identifiersAsUsers.signIn(identifier));
    },
    find: async (id) => withRoles(await identifiersAsUsers.find(id)),
  };
}

/**
 * Each `signIn` comes from a device that signed in before, and such a device has counts of its own: no limit stops it, and
 * those of strangers stay as they are.
 */
function withOwnLanes(store: Store, signingIn: AsyncLocalStorage<SigningIn>): Store {
  const fromDevice = <Request extends CodeAddress>(request: Request, nowMs: number): Request => {
    const { lane } = signingIn.getStore() ?? {};
    // Remembered after any moment at which the identifier's devices may just have been revoked.
    return lane === undefined ? request : { ...request, device: { lane, issuedAtMs: nowMs + 1 } };
  };
  return {
    ...store,
    issueCode: (request) => store.issueCode(fromDevice(request, request.nowMs)),
    consumeCode: (request) => store.consumeCode(fromDevice(request, request.nowMs)),
    withdrawCode: (request) => store.withdrawCode(fromDevice(request, request.issuedAtMs)),
    judgeFactor: async (request) =>
      signingIn.getStore() === undefined ? store.judgeFactor(request) : { outcome: 'accepted', usedHashes: [] },
  };
}
