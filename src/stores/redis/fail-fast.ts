import { setImmediate } from 'node:timers/promises';
import { lastErrorOf } from './open-redis.js';
import type { RedisClient } from './redis-client.js';

const wrapped = new WeakSet<RedisClient>();

/**
 * The same client, that is handed a command only where it can be expected to send it, and Redis to answer.
 *
 * A client without a connection keeps commands for later, and a frozen Redis finds them when it thaws: either way
 * they are carried out long after whoever asked was told that nothing could be done, each retry of theirs once more,
 * and until then they take memory. So a command waits for a connection half of `timeoutMs` at most, and is refused
 * while the connection has not answered anything for the whole of it. The client itself is not touched.
 *
 * @param timeoutMs what Redis may take for one command. By default as much as nobody means who has said nothing.
 */
export function failFast(client: RedisClient, timeoutMs = 10_000): RedisClient {
  if (wrapped.has(client)) return client;
  const connection = watchConnection(client, timeoutMs / 2);
  // A Cluster has many connections, of which the silence of one says nothing about the others.
  const replies = client.isCluster === true ? undefined : watchReplies(timeoutMs);
  const pass = <Reply>(command: () => Promise<Reply>) => {
    const reply = command();
    replies?.watch(reply);
    return reply;
  };
  const passOrRefuse = async <Reply>(command: () => Promise<Reply>) => {
    if (!connection.isReady()) await connection.becomesReady();
    // Where it was this process that stood still, the replies are there and have only to be read.
    if (replies?.areOverdue()) await setImmediate();
    if (replies?.areOverdue()) throw notConnected('it does not answer');
    return pass(command);
  };
  const send = <Reply>(command: () => Promise<Reply>): Promise<Reply> =>
    connection.isReady() && replies?.areOverdue() !== true ? pass(command) : passOrRefuse(command);

  const careful: RedisClient = {
    get status() {
      return client.status;
    },
    ...(client.isCluster === undefined ? {} : { isCluster: client.isCluster }),
    evalsha: (...args) => send(() => client.evalsha(...args)),
    eval: (...args) => send(() => client.eval(...args)),
    mget: (...keys) => send(() => client.mget(...keys)),
    call: (...args) => send(() => client.call(...args)),
    ping: () => send(() => client.ping()),
    on: (event, listener) => client.on(event, listener),
    off: (event, listener) => client.off(event, listener),
    disconnect: () => client.disconnect(),
  };
  wrapped.add(careful);
  return careful;
}

/** In these a client sends; in `wait` (`lazyConnect`) it connects for the first command. */
const SENDING = new Set(['ready', 'wait', 'monitoring']);

interface Connection {
  isReady(): boolean;
  /** Rejects where the time is up, the attempt to connect failed, or there will be none. */
  becomesReady(): Promise<void>;
}

function watchConnection(client: RedisClient, waitMs: number): Connection {
  let waiting: Promise<void> | undefined;

  const wait = () =>
    new Promise<void>((resolve, reject) => {
      const settle = (error?: Error) => {
        clearTimeout(timer);
        client.off('ready', succeed);
        client.off('close', fail);
        client.off('end', fail);
        waiting = undefined;
        if (error === undefined) resolve();
        else reject(error);
      };
      const succeed = () => settle();
      const fail = () => settle(notConnected(lastErrorOf(client) ?? client.status));
      const timer = setTimeout(fail, waitMs);
      client.on('ready', succeed);
      client.on('close', fail);
      client.on('end', fail);
    });

  return {
    isReady: () => SENDING.has(client.status),
    becomesReady() {
      if (client.status === 'end') return Promise.reject(notConnected(client.status));
      // All that wait are one listener to the client, which warns of more than ten.
      return (waiting ??= wait());
    },
  };
}

/** By this code the core knows that nothing was sent. */
function notConnected(why: string): Error {
  return Object.assign(new Error(`no connection to Redis: ${why}`), { code: 'ENOTCONN' });
}

interface Replies {
  areOverdue(): boolean;
  watch(reply: Promise<unknown>): void;
}

/** Replies of one connection come in the order of their commands, so the oldest one tells about all. */
function watchReplies(timeoutMs: number): Replies {
  let awaited = 0;
  let quietSince = 0;
  const answered = () => {
    awaited -= 1;
    quietSince = performance.now();
  };

  return {
    areOverdue: () => awaited > 0 && performance.now() - quietSince > timeoutMs,
    watch(reply) {
      if (awaited === 0) quietSince = performance.now();
      awaited += 1;
      reply.then(answered, answered);
    },
  };
}
