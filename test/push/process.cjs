// @ts-check
// One process of an application: it presents every token that it is given to its guard, again and again, and writes
// down when one was accepted last. Times are of the system's monotonic clock, which is the same for all processes.
const { setImmediate: turn } = require('node:timers/promises');

const [, , packageFile, redis, settings] = process.argv;
const { waitMs, storeTimeoutMs } = JSON.parse(String(settings));
const { otpAuth } = require(String(packageFile));

/** @type {Map<string, string>} */
const codes = new Map();
const silent = () => {};
const auth = otpAuth({
  redis,
  revocation: 'push',
  revocationWaitMs: waitMs,
  storeTimeoutMs,
  jwt: { secret: 'a secret for tests, of more than thirty-two bytes', refreshGraceSeconds: 0 },
  otp: { resendCooldownSeconds: 0 },
  limits: { requestsPerIpPerMinute: 100_000, verifiesPerIpPerMinute: 100_000 },
  email: {
    send: (/** @type {{to: string, text: string}} */ { to, text }) =>
      void codes.set(to, /\b\d{6}\b/.exec(text)?.[0] ?? ''),
  },
  logger: { debug: silent, info: silent, warn: silent, error: silent },
});

const now = () => Number(process.hrtime.bigint()) / 1e6;
const CHECK_EVERY_MS = 25;
/** The newest tokens are checked every time, the older ones in turn. */
const NEWEST = 150;
const OLDER_AT_ONCE = 20;
const MOST_UNDERWAY = 1000;

/** @typedef {{ index: number, authorization: string, accepted: number, askedAtMs: number, atMs: number, refused: number, how: string }} Seen */
/** @type {Seen[]} */
const seen = [];
const counts = { checks: 0, accepted: 0, refused: 0, unknown: 0, fromMemory: 0 };
let underway = 0;
let older = 0;

/** @param {Seen} token */
function check(token) {
  const askedAtMs = now();
  let answeredAtOnce = true;
  underway += 1;
  counts.checks += 1;
  /** @param {number} status */
  const answered = (status) => {
    underway -= 1;
    if (answeredAtOnce) counts.fromMemory += 1;
    if (status === 503) counts.unknown += 1;
    if (status === 401) {
      counts.refused += 1;
      token.refused += 1;
    }
    if (status !== 200) return;
    // What was decided at once was decided when it was asked: nothing else ran in between.
    const atMs = answeredAtOnce ? askedAtMs : now();
    counts.accepted += 1;
    token.accepted += 1;
    token.askedAtMs = Math.max(token.askedAtMs, askedAtMs);
    token.atMs = Math.max(token.atMs, atMs);
    if (atMs === token.atMs) token.how = answeredAtOnce ? 'from memory' : `by Redis, asked at ${askedAtMs.toFixed(0)}`;
  };
  let status = 0;
  const res = {
    status: (/** @type {number} */ code) => ((status = code), res),
    set: () => res,
    append: () => res,
    type: () => res,
    send: () => answered(status),
  };
  auth.requireUser({ headers: { authorization: token.authorization } }, res, () => answered(200));
  answeredAtOnce = false;
}

setInterval(() => {
  if (underway > MOST_UNDERWAY) return;
  for (const token of seen.slice(-NEWEST)) check(token);
  for (let count = 0; count < OLDER_AT_ONCE && older < seen.length - NEWEST; count += 1)
    check(/** @type {Seen} */ (seen[older++]));
  if (older >= seen.length - NEWEST) older = 0;
}, CHECK_EVERY_MS);

/** @type {Record<string, (order: any) => unknown>} */
const orders = {
  async signIn({ email, count }) {
    const tokens = [];
    for (let signedIn = 0; signedIn < count; signedIn += 1) {
      await auth.api.requestOtp({ email });
      tokens.push(await auth.api.verifyOtp({ email, otp: codes.get(email) }));
    }
    return tokens;
  },
  watch({ index, accessToken }) {
    seen.push({
      index,
      authorization: `Bearer ${accessToken}`,
      accepted: 0,
      askedAtMs: 0,
      atMs: 0,
      refused: 0,
      how: '',
    });
  },
  /** Resolves with when the revocation was acknowledged. After a failover there may be nothing to revoke: that acknowledges nothing. */
  async revoke({ how, email, accessToken, refreshToken, sessionId, count }) {
    const reused = new Set();
    const note = (/** @type {{sessionId: string}} */ event) => reused.add(event.sessionId);
    auth.events.on('session.reuse_detected', note);
    const ways = {
      logout: () => auth.api.logout({ accessToken }).then(() => true),
      session: () => auth.api.revokeSession(email, sessionId),
      user: async () => (await auth.api.revokeUser(email)) === count,
      async reuse() {
        await auth.api.refresh({ refreshToken });
        await auth.api.refresh({ refreshToken }).catch(() => {});
        return reused.has(sessionId);
      },
    };
    const revoked = await ways[/** @type {keyof typeof ways} */ (how)]().finally(() =>
      auth.events.off('session.reuse_detected', note),
    );
    if (!revoked) throw new Error('there was nothing to revoke');
    return now();
  },
  block({ ms }) {
    const untilMs = now() + ms;
    while (now() < untilMs);
  },
  health: () => auth.health(),
  async report() {
    while (underway > 0) await turn();
    return { counts, seen: seen.map((token) => ({ ...token, authorization: undefined })) };
  },
  async close() {
    await auth.close();
    setTimeout(() => process.exit(), 10);
  },
};

/** @param {{id: number, order: string}} message */
async function obey(message) {
  try {
    const result = await orders[message.order]?.(message);
    process.send?.({ id: message.id, result });
  } catch (error) {
    process.send?.({ id: message.id, error: String(/** @type {Error} */ (error).message) });
  }
}
process.on('message', (/** @type {{id: number, order: string}} */ message) => void obey(message));
process.on('disconnect', () => process.exit());
process.send?.({ id: 0 });
