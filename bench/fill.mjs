import { randomBytes } from 'node:crypto';

const DAY_MS = 86_400_000;
const AT_ONCE = 500;
const USER_AGENT =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36';

/** Does something so many times, some hundred at once. */
export async function fill(count, one) {
  let left = count;
  const work = async () => {
    while (left-- > 0) await one();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

export const key = () => randomBytes(16).toString('base64url').slice(0, 22);

/** What a sign-in from an ordinary browser opens. */
export function session(id) {
  const nowMs = Date.now();
  return {
    userKey: key(),
    session: {
      id,
      startedAtMs: nowMs,
      lastUsedAtMs: nowMs,
      expiresAtMs: nowMs + 7 * DAY_MS,
      endsAtMs: nowMs + 30 * DAY_MS,
      amr: ['otp'],
      ip: '203.0.113.77',
      userAgent: USER_AGENT,
    },
    refreshId: key(),
    nowMs,
    maxSessions: 50,
    revocationMs: 3_600_000,
  };
}
