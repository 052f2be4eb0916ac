import { setTimeout } from 'node:timers/promises';
import { type Answer, send } from './send.js';

/** Whose application it is, and how the load gets at the codes that are mailed. */
export interface LoadTarget {
  /** Of the application; the router is at /auth, a guarded route at /me. */
  url: string;
  /** The newest code that was mailed to the address. */
  lastCode: (to: string) => string | undefined;
  /** Answers that this fault may cause besides 503, as `status code`, such as `502 delivery_failed`. */
  alsoAllowed?: readonly string[];
}

/** What has been seen of one application under load. */
export interface LoadReport {
  requests: number;
  /** By `status`, and `code` where the answer is a problem. */
  answers: Map<string, number>;
  slowestMs: number;
  codesAccepted: number;
  /** Right codes that were used up by a request whose answer got lost: their owners have to ask for another. */
  codesLost: number;
  tokensRevoked: number;
  /** How often a revoked token was tried. */
  revokedTried: number;
  /** Everything that must not happen. */
  violations: string[];
}

export interface Load {
  /** What has been seen until now. */
  report: LoadReport;
  /** Lets every user finish the request under way. */
  stop(): Promise<LoadReport>;
}

/** Where it is not handed over before the answer. */
const MAIL_TAKES_MS = 1_500;
/** So many users at once, each doing over and over all that there is to do. */
const USERS = 4;
const PAUSE_AFTER_FAILURE_MS = 40;
/** Below the default of `refreshGraceSeconds`, 10: a refresh that is repeated within it has to work. */
const PERSIST_MS = 8_000;

let runs = 0;

/**
 * Signs in, goes on, and ends sessions in every way, with simultaneous guesses and simultaneous refreshes, and
 * judges each answer: only the contract's, no code accepted twice, no revoked token accepted, no valid one refused.
 */
export function startLoad(target: LoadTarget): Load {
  const run = (runs += 1);
  const report: LoadReport = {
    requests: 0,
    answers: new Map(),
    slowestMs: 0,
    codesAccepted: 0,
    codesLost: 0,
    tokensRevoked: 0,
    revokedTried: 0,
    violations: [],
  };
  let stopped = false;
  const revoked: { accessToken: string; refreshToken: string }[] = [];

  const ask = async (
    path: string,
    options: Parameters<typeof send>[1],
    ...expected: readonly string[]
  ): Promise<Answer> => {
    const answer = await send(target.url + path, options);
    const kind = kindOf(answer);
    report.requests += 1;
    report.answers.set(kind, (report.answers.get(kind) ?? 0) + 1);
    report.slowestMs = Math.max(report.slowestMs, answer.tookMs);
    const allowed = [...expected, '503 store_unavailable', ...(target.alsoAllowed ?? [])];
    if (!allowed.includes(kind))
      report.violations.push(`${options?.method ?? 'POST'} ${path}: ${kind}, ${JSON.stringify(answer.body)}`);
    if (answer.status === 503 && answer.headers['retry-after'] !== '1')
      report.violations.push(`${path}: 503 without Retry-After: 1`);
    if (answer.status >= 500) await setTimeout(PAUSE_AFTER_FAILURE_MS);
    return answer;
  };

  /** The same again until the store answers, or the time is up. */
  const persist = async (again: (repeated: boolean) => Promise<Answer>): Promise<Answer> => {
    const until = performance.now() + PERSIST_MS;
    for (let repeated = false; ; repeated = true) {
      const answer = await again(repeated);
      if (answer.status !== 503 || stopped || performance.now() > until) return answer;
    }
  };

  const tryRevoked = async (tokens: { accessToken: string; refreshToken: string }) => {
    report.revokedTried += 2;
    await Promise.all([
      ask('/me', { method: 'GET', token: tokens.accessToken }, '401 invalid_token'),
      ask('/auth/refresh', { body: { refresh_token: tokens.refreshToken } }, '401 invalid_refresh_token'),
    ]);
  };

  const live = async (email: string) => {
    if ((await ask('/auth/request-otp', { body: { email } }, '200')).status !== 200) return;
    const otp = await codeFor(target, email);
    if (otp === undefined) return;
    const wrong = otp.replace(/^./, (digit) => String((Number(digit) + 1) % 10));
    const guess = (code: string) => ask('/auth/verify-otp', bodyToken({ email, otp: code }), '200', '400 invalid_otp');

    const attempts = await Promise.all([guess(otp), guess(wrong), guess(otp)]);
    for (let retry = 0; retry < 3 && attempts.every(({ status }) => status !== 200); retry += 1)
      attempts.push(await guess(otp));
    attempts.push(await guess(otp));
    if (attempts[1]?.status === 200) report.violations.push('a wrong code was accepted');
    const accepted = attempts.filter(({ status }) => status === 200);
    if (accepted.length > 1) report.violations.push(`a code was accepted ${accepted.length} times`);
    report.codesAccepted += accepted.length;
    const [signIn] = accepted;
    if (signIn === undefined) {
      if (attempts.at(-1)?.status === 400) report.codesLost += 1;
      return;
    }

    const first = tokensOf(signIn);
    await ask('/me', { method: 'GET', token: first.accessToken }, '200');
    const refresh = () => persist(() => ask('/auth/refresh', { body: { refresh_token: first.refreshToken } }, '200'));
    const [one, other] = await Promise.all([refresh(), refresh()]);
    if (one.status !== 200 || other.status !== 200) return;
    if (one.body['refresh_token'] !== other.body['refresh_token'])
      report.violations.push('one refresh token got two successors');
    const tokens = tokensOf(one);
    const listed = await ask('/auth/sessions', { method: 'GET', token: tokens.accessToken }, '200');
    if (listed.status === 200 && listed.body['count'] !== 1)
      report.violations.push(`${String(listed.body['count'])} sessions are listed in place of 1`);

    const { path, method, body } = endings(tokens)[report.requests % 4] as Ending;
    // Asked for again, it may have been done the first time, and the token may be revoked already.
    let wasAskedBefore = false;
    const ended = await persist((repeated) => {
      wasAskedBefore = repeated;
      const known = repeated ? ['401 invalid_token'] : [];
      return ask(path, { method, token: tokens.accessToken, ...body }, '200', '204', ...known);
    });
    if (ended.status !== 200 && ended.status !== 204 && !(ended.status === 401 && wasAskedBefore)) return;
    report.tokensRevoked += 1;
    revoked.push(tokens);
    await tryRevoked(tokens);
    const former = revoked[Math.floor(revoked.length / 2)];
    if (former !== undefined) await tryRevoked(former);
  };

  const users = Array.from({ length: USERS }, async (_, user) => {
    for (let life = 0; !stopped; life += 1) await live(`u${run}.${user}.${life}@example.com`);
  });

  return {
    report,
    async stop() {
      stopped = true;
      await Promise.all(users);
      for (const tokens of revoked.slice(-50)) await tryRevoked(tokens);
      return report;
    },
  };
}

/** Everything that a person does to sign in and out, once; `true` where each step was answered as on a good day. */
export async function worksWhole(target: LoadTarget): Promise<boolean> {
  const { url } = target;
  runs += 1;
  const email = `whole.${runs}@example.com`;
  if ((await send(`${url}/auth/request-otp`, { body: { email } })).status !== 200) return false;
  const otp = await codeFor(target, email);
  const signIn = await send(`${url}/auth/verify-otp`, bodyToken({ email, otp }));
  if (signIn.status !== 200) return false;
  const refreshed = await send(`${url}/auth/refresh`, { body: { refresh_token: tokensOf(signIn).refreshToken } });
  const token = tokensOf(refreshed).accessToken;
  const answers = [
    refreshed,
    await send(`${url}/me`, { method: 'GET', token }),
    await send(`${url}/auth/logout`, { token }),
  ];
  return answers.every(({ status }) => status === 200);
}

/** The code, which may be mailed a little after the request for it was answered; `undefined` where none comes. */
async function codeFor({ lastCode }: LoadTarget, email: string): Promise<string | undefined> {
  for (const giveUpAt = performance.now() + MAIL_TAKES_MS; performance.now() < giveUpAt; await setTimeout(10)) {
    const code = lastCode(email);
    if (code !== undefined) return code;
  }
  return undefined;
}

interface Ending {
  path: string;
  method: string;
  body?: { body: object };
}

function endings({ accessToken, refreshToken }: { accessToken: string; refreshToken: string }): Ending[] {
  const [, payload = ''] = accessToken.split('.');
  const { sid } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { sid: string };
  return [
    { path: '/auth/logout', method: 'POST' },
    { path: '/auth/logout', method: 'POST', body: { body: { refresh_token: refreshToken } } },
    { path: '/auth/logout-all', method: 'POST' },
    { path: `/auth/sessions/${sid}`, method: 'DELETE' },
  ];
}

function bodyToken(body: object): { body: object } {
  return { body: { ...body, token_transport: 'body' } };
}

function tokensOf({ body }: Answer): { accessToken: string; refreshToken: string } {
  return { accessToken: String(body['access_token']), refreshToken: String(body['refresh_token']) };
}

function kindOf({ status, body, headers }: Answer): string {
  if (status < 400) return String(status);
  const isProblem = headers['content-type']?.startsWith('application/problem+json') === true;
  return `${status} ${isProblem ? String(body['code']) : 'no problem document'}`;
}
