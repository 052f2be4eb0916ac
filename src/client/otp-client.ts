import { readAccessToken } from './access-token.js';
import type { Address, OtpUser, RequestedOtp, Result, SecondFactor, SignedIn } from './answers.js';
import { call, failure, type Fetch, type Json, unexpected } from './call.js';
import { absolute, ownServer } from './own-server.js';
import { inCookies, inStorage, type TokenStorage } from './kept-tokens.js';
import { type News, openTabs } from './tabs.js';

/** The options of {@link createOtpClient}. */
export interface OtpClientOptions {
  /** Where the router is: `'/auth'` in a page of the same origin, `'https://api.example.com/auth'` anywhere. */
  baseUrl: string;
  /** @default the platform's */
  fetch?: Fetch;
  /**
   * How the refresh token travels. `'cookie'`: HttpOnly, kept by the browser, out of every script's reach. `'body'`: in
   * JSON, and kept by `storage`, for React Native and Node. @default 'cookie'
   */
  tokenTransport?: 'cookie' | 'body';
  /** Keeps the tokens with `tokenTransport: 'body'`. @default memory: the sign-in ends with the application */
  storage?: TokenStorage;
  /** Further origins that `fetch` may send the access token to, besides that of `baseUrl`. @default none */
  tokenOrigins?: readonly string[];
}

/** Signs in, stays signed in, and sends requests as whoever is signed in. Its functions work without the object too. */
export interface OtpClient {
  /** Who is signed in. `null`: nobody. `undefined`: not known yet; `refresh` finds out. */
  readonly user: OtpUser | null | undefined;
  /** The access token in memory, for what `fetch` cannot do; it may have expired. `null`: there is none. */
  getAccessToken: () => string | null;
  /** Has `listener` called whenever the user or the access token changes. Returns the function that ends that. */
  subscribe: (listener: (user: OtpUser | null | undefined) => void) => () => void;

  /** Has a code sent. */
  requestOtp: (request: Address & { locale?: string }) => Promise<Result<RequestedOtp>>;
  /** Signs in with a code. `mfa_required`: a second factor is outstanding, go on with `verifyTotp`. */
  verifyOtp: (attempt: Address & { otp: string }) => Promise<Result<SignedIn>>;
  /** Completes a sign-in with the second factor. */
  verifyTotp: (attempt: SecondFactor & { mfaToken: string }) => Promise<Result<SignedIn>>;
  /** Gets a new access token: call it when the application starts. Calls at the same time, from all tabs, are one request. */
  refresh: () => Promise<Result<SignedIn>>;
  /** Ends the session. Where the server cannot be reached, the user stays signed in, and the error says why. */
  logout: () => Promise<Result<{ message: string }>>;

  /**
   * The platform's `fetch`, with the access token added for the origin of `baseUrl`. After an answer of 401 there is one
   * refresh, and the request is repeated. A request that has an `Authorization` of its own is left alone.
   */
  fetch: Fetch;
}

/** Answers that say that there is no session any more. Other answers, and none at all, don't say so. */
const SIGNED_OUT: readonly string[] = ['token_missing', 'invalid_token', 'invalid_refresh_token'];

/** Makes a client of the router at `baseUrl`. Its methods never reject; `fetch` does what the platform's does. */
export function createOtpClient(options: OtpClientOptions): OtpClient {
  const { tokenTransport = 'cookie', storage, tokenOrigins = [] } = options;
  const baseUrl = options.baseUrl.replace(/\/+$/, '');
  const isOwn = ownServer([baseUrl, ...tokenOrigins]);
  const send: Fetch = (...request) => (options.fetch ?? globalThis.fetch)(...request);
  const inBody = tokenTransport === 'body';
  const kept = inBody ? inStorage(storage) : inCookies;
  const listeners = new Set<() => void>();

  let token: News;
  let user: OtpUser | null | undefined;
  /** Counts what became of `token`. */
  let changes = 0;
  let lastTurn: Promise<unknown> = Promise.resolve();
  let refreshing: Promise<Result<SignedIn>> | undefined;

  const tabs = openTabs(`express-otp-auth ${absolute(baseUrl)}`, {
    shares: !inBody,
    hear: (news) => {
      if (news !== undefined) take(news);
    },
  });

  function take(next: string | null): void {
    const nextUser = next === null ? null : readAccessToken(next).user;
    if (JSON.stringify(nextUser) !== JSON.stringify(user)) user = nextUser;
    token = next;
    changes += 1;
    for (const listener of listeners) {
      try {
        listener();
      } catch (error) {
        // As the platform does when a listener throws.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  /** One after the other, here and in the other tabs: whatever changes who is signed in. Never rejects. */
  function inTurn<Data>(work: () => Promise<Result<Data>>): Promise<Result<Data>> {
    const attempt = async () => {
      const before = changes;
      try {
        return await work();
      } catch (cause) {
        return failure({ code: 'storage_error', message: 'The tokens could not be read or kept.', cause });
      } finally {
        tabs.tell(changes === before ? undefined : token);
      }
    };
    const result = lastTurn.then(() => tabs.exclusively(attempt));
    lastTurn = result;
    return result;
  }

  const post = (path: string, body: Json, bearer?: News) =>
    call(send, baseUrl + path, { body, bearer, credentials: inBody ? 'omit' : 'include' });

  const signIn = (path: string, body: Json) =>
    inTurn(async () => accept(await post(path, { ...body, ...(await kept.device()) })));

  async function accept({ data, error }: Result<Json>): Promise<Result<SignedIn>> {
    if (error) return failure(error);
    try {
      take(data['access_token'] as string);
    } catch {
      return unexpected();
    }
    await kept.keep(data);
    return signedIn();
  }

  const nobody = () => failure({ code: 'token_missing', message: 'Nobody is signed in.' });
  const signedIn = (): Result<SignedIn> =>
    token ? { data: { ...readAccessToken(token), user: user as OtpUser }, error: null } : nobody();

  async function endIfSignedOut({ error }: Result<unknown>): Promise<void> {
    if (error && !SIGNED_OUT.includes(error.code)) return;
    take(null);
    await kept.forget();
  }

  function refresh(): Promise<Result<SignedIn>> {
    const before = changes;
    refreshing ??= inTurn(async () => {
      // While this waited for its turn, there was a sign-in, a sign-out, or another tab's refresh.
      if (changes !== before) return signedIn();
      const body = await kept.refresh();
      const result = body ? await accept(await post('/refresh', body)) : nobody();
      if (result.error) await endIfSignedOut(result);
      return result;
    }).finally(() => {
      refreshing = undefined;
    });
    return refreshing;
  }

  return {
    get user() {
      return user;
    },
    getAccessToken: () => token ?? null,
    subscribe(listener) {
      const notify = () => listener(user);
      listeners.add(notify);
      return () => {
        listeners.delete(notify);
      };
    },

    async requestOtp({ email, phoneNumber, locale }) {
      const body = { email, phone_number: phoneNumber, locale, ...(await kept.device()) };
      const { data, error } = await post('/request-otp', body);
      if (error) return failure(error);
      const { message, expires_in: expiresIn, resend_in: resendIn } = data;
      return { data: { message, expiresIn, resendIn } as RequestedOtp, error: null };
    },
    verifyOtp: ({ email, phoneNumber, otp }) => signIn('/verify-otp', { email, phone_number: phoneNumber, otp }),
    verifyTotp: ({ mfaToken, code, recoveryCode }) =>
      signIn('/totp/verify', { mfa_token: mfaToken, code, recovery_code: recoveryCode }),
    refresh,
    logout: () =>
      inTurn(async () => {
        const result = await post('/logout', (await kept.refresh()) ?? {}, token);
        await endIfSignedOut(result);
        return result as Result<{ message: string }>;
      }),

    async fetch(input, init) {
      const request = typeof input === 'object' && 'url' in input ? input : undefined;
      const url = request?.url ?? (input as string | URL).toString();
      const headers = new Headers(init?.headers ?? request?.headers);
      if (!isOwn(url) || headers.has('Authorization')) return send(input, init);

      const [first, again] = twice(request ?? input, init);
      const sendAs = ([target, rest]: Parameters<Fetch>) => {
        if (token) headers.set('Authorization', `Bearer ${token}`);
        return send(target, { ...rest, headers });
      };
      if (refreshing || token === undefined) await refresh();
      const used = token;
      const response = await sendAs(first);
      if (response.status !== 401 || wantsNewSignIn(response)) return response;
      // Unless another request has brought a new token in the meantime, and not for visitors who are signed out.
      if (token === used && used !== null) await refresh();
      if (!token || token === used) return response;
      response.body?.cancel().catch(() => {}); // frees the connection
      return sendAs(again);
    },
  };
}

/** The same request two times over: bodies that are streams can be read only once. */
function twice(input: Parameters<Fetch>[0], init: RequestInit = {}): [Parameters<Fetch>, Parameters<Fetch>] {
  const streams = (init.body as Partial<ReadableStream> | null | undefined)?.tee?.();
  const first = typeof input === 'object' && 'clone' in input ? input.clone() : input;
  return [
    [first, streams ? { ...init, body: streams[0] } : init],
    [input, streams ? { ...init, body: streams[1] } : init],
  ];
}

/** RFC 9470: the token is good, and too old a sign-in. Another token of the same sign-in does not help. */
function wantsNewSignIn({ headers }: Response): boolean {
  return headers.get('WWW-Authenticate')?.includes('insufficient_user_authentication') === true;
}
