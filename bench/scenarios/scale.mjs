import { redisStore } from 'express-otp-auth';
import { fill, key, session } from '../fill.mjs';
import { listed } from '../figures.mjs';
import { startRedis } from '../redis.mjs';

const RULES = {
  expiryMs: 300_000,
  liveCodes: 1,
  maxAttempts: 5,
  resendCooldownMs: 30_000,
  sendsPerHour: 10,
  sendsPerDay: 20,
  failuresPerDay: 25,
};
const REVOCATION_MS = 3_600_000;
/** The others take minutes, and are no different. */
const COUNTED_IN_MILLIONS = ['code that waits', 'session, one a user', 'revoked access token'];

/** What Redis holds and does: bytes for each thing, and its own CPU time for each operation. Nothing is compared, so there are no rounds. */
export async function measure({ things, operations: times }) {
  const memory = [];
  const costs = [];
  for (const count of things) {
    for (const [what, one] of Object.entries(kept())) {
      if (count > 100_000 && !COUNTED_IN_MILLIONS.includes(what)) continue;
      console.log(`${count} × ${what}`);
      const redis = await startRedis();
      const store = redisStore(redis.client);
      await one(store); // the script is known, and its memory not counted
      const before = await redis.info('used_memory');
      await fill(count, () => one(store));
      memory.push([
        what,
        count.toLocaleString('en'),
        String(Math.round(((await redis.info('used_memory')) - before) / count)),
      ]);
      await redis.stop();
    }
  }
  const redis = await startRedis();
  const store = redisStore(redis.client);
  for (const [what, { prepare, run }] of Object.entries(operations(store))) {
    console.log(`${times} × ${what}`);
    const prepared = [];
    await fill(times, async () => void prepared.push(await prepare()));
    const cpu = async () => (await redis.info('used_cpu_user')) + (await redis.info('used_cpu_sys'));
    const before = await cpu();
    await fill(times, () => run(prepared.pop()));
    const microseconds = (((await cpu()) - before) * 1e6) / times;
    costs.push([what, microseconds.toFixed(1), String(Math.round(1e6 / microseconds))]);
  }
  await redis.stop();
  return {
    sections: [
      listed(
        'Redis: memory',
        ['what', 'how many', 'bytes each'],
        memory,
        'Keys, values and what Redis keeps beside them.',
      ),
      listed(
        'Redis: its own CPU time',
        ['operation', 'µs', 'operations a second of one core'],
        costs,
        `Each ${times.toLocaleString('en')} times over one connection, pipelined: the network is in it, waiting is not.`,
      ),
    ],
    goals: [],
  };
}

/** One more of each thing that stays for a while. */
function kept() {
  return {
    'code that waits': (store) => store.issueCode(codeFor(key())),
    'count of sends and failures, a code used up': async (store) => {
      const code = codeFor(key());
      await store.issueCode(code);
      await store.consumeCode({ ...code, codeHashes: ['wrong'] });
      await store.consumeCode({ ...code, codeHashes: [code.codeHash] });
    },
    'session, one a user': (store) => store.openSession(session(key())),
    'revoked session with its access token': async (store) => {
      const opened = session(key());
      await store.openSession(opened);
      const token = { id: key(), remainingMs: REVOCATION_MS };
      await store.endSession({
        userKey: opened.userKey,
        sessionId: opened.session.id,
        revocationMs: REVOCATION_MS,
        token,
      });
    },
    'revoked access token': (store) =>
      store.revokeToken({ userKey: key(), tokenId: key(), remainingMs: REVOCATION_MS }),
  };
}

const codeFor = (identifierKey) => ({
  identifierKey,
  purpose: 'sign-in',
  device: undefined,
  codeId: key(),
  codeHash: `${key()}${key().slice(1)}`,
  nowMs: Date.now(),
  rules: RULES,
});

function operations(store) {
  const nothing = async () => {};
  const openNew = async () => {
    const opened = session(key());
    await store.openSession(opened);
    return opened;
  };
  return {
    'issue a code': { prepare: nothing, run: () => store.issueCode(codeFor(key())) },
    'verify a code': {
      prepare: async () => {
        const code = codeFor(key());
        await store.issueCode(code);
        return code;
      },
      run: (code) => store.consumeCode({ ...code, codeHashes: [code.codeHash] }),
    },
    'open a session': { prepare: async () => session(key()), run: (opened) => store.openSession(opened) },
    'refresh a session': {
      prepare: openNew,
      run: ({ userKey, session: { id }, refreshId }) =>
        store.rotateSession({
          userKey,
          sessionId: id,
          presentedId: refreshId,
          nextId: key(),
          nowMs: Date.now(),
          graceMs: 10_000,
          idleMs: 7 * 86_400_000,
          revocationMs: REVOCATION_MS,
          moving: false,
        }),
    },
    'end a session': {
      prepare: openNew,
      run: ({ userKey, session: { id } }) =>
        store.endSession({ userKey, sessionId: id, revocationMs: REVOCATION_MS, token: undefined }),
    },
    'ask whether a token is revoked': {
      prepare: nothing,
      run: () =>
        store.isRevoked({
          userKeys: [key()],
          tokenId: key(),
          sessionId: key(),
          issuedAtSeconds: Math.floor(Date.now() / 1000),
        }),
    },
  };
}
