import { randomBytes } from 'node:crypto';
import type { Clock, RevocationQuery } from '../../../core/ports.js';
import type { Keys } from '../keys.js';
import type { RedisClient } from '../redis-client.js';
import { isOne, runScript } from '../run-script.js';
import { keepMembership } from '../scripts/keep-membership.js';
import { type Message, readMessage } from './message.js';
import { type Subscription, type SubscriberClient, subscription } from './subscription.js';
import { ISSUE_MARGIN_MS, LEASE_MS, REGISTRY_LIFE_MS, RENEW_MS, SETTLING_MS } from './timing.js';

/**
 * A time during which a process is told of every revocation. It begins when the process joins the registry, and ends
 * for good when it cannot be sure any longer, by whatever cause: then another one may begin.
 */
export interface Epoch {
  readonly member: string;
  /** Tokens issued since then cannot have been revoked before the epoch began. */
  readonly coversIssuedSinceSeconds: number;
  /** What Redis was asked about in this epoch, and had not revoked: should it be, this process will hear. */
  readonly cleared: WeakSet<RevocationQuery>;
}

/** What Redis said about itself when it was last asked, over a connection that still stands. */
export interface RedisState {
  readonly feed: string;
  /** Run id; empty where Redis does not tell. */
  readonly server: string;
  /** By the monotonic clock. */
  readonly settlesAtMs: number;
}

/** This process's place among those that are told of revocations. */
export interface Membership {
  /** The epoch, if at this moment the process is sure to know of all that was acknowledged. */
  current(): Epoch | undefined;
  /** Rejects where Redis does not answer. */
  askState(): Promise<RedisState>;
  /** Whether Redis is still the one that it was. */
  isStill(state: RedisState): boolean;
  /** Where revocations are published; `undefined` before that is known. */
  channel(): string | undefined;
  channelOf(process: string): string | undefined;
  /** As which the process acknowledges: also while the answer to its joining is on its way, or its lease has ended. */
  memberNames(): readonly string[];
  /** Whether acknowledgements reach this process. */
  isListening(): boolean;
  /** Why it is not up to date, for the log. */
  trouble(): string;
  close(): void;
}

export interface MembershipDeps {
  client: RedisClient;
  keys: Keys;
  openSubscriber: () => SubscriberClient;
  clock: Clock;
  /** Names this process in channels. */
  process: string;
  /** Monotonic, in milliseconds. */
  monotonic: () => number;
  onMessage: (message: Exclude<Message, { kind: 'echo' }>) => void;
  /** Redis was emptied, or is another server, with the same data as far as it goes. */
  onDataLost: () => void;
  /** Every `RENEW_MS`. */
  onTick: () => void;
}

/** What a new subscription may take until the first echo, and how the time until another attempt grows. */
const FIRST_ECHO_MS = 2000;
const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 5000;

/**
 * Joins the registry, and stays in it: asks every `RENEW_MS` whether it is a member, and hears itself over the same
 * subscription that revocations come by.
 *
 * Why that is enough: whoever revokes reads the registry after writing, and waits for the members to acknowledge, or
 * crosses them off, before its own caller gets an answer. A member that hears nothing, by whatever cause, is crossed
 * off, learns it within `RENEW_MS` or learns nothing at all, and is not sure `LEASE_MS` after it last asked. A process
 * that joins later asks Redis about each token once, in which everything revoked before is written.
 */
export function joinRegistry(deps: MembershipDeps): Membership {
  const { client, keys, clock, monotonic } = deps;
  const connection = watchConnections(client);
  let state: (RedisState & { connections: number; nodesLost: number }) | undefined;
  let epoch: Epoch | undefined;
  /** When the last answered question was asked, and the last one whose echo came round. */
  let renewedAtMs = Number.NEGATIVE_INFINITY;
  let echoedAtMs = Number.NEGATIVE_INFINITY;
  let renewedAtWallMs = Number.NEGATIVE_INFINITY;
  /** When a question was asked whose echo, and all since, are missing. */
  let unheardSinceMs: number | undefined;
  /** How long an echo may be missing. */
  let patienceMs = FIRST_ECHO_MS;
  let retryMs = FIRST_RETRY_MS;
  let listensAgainAtMs = Number.NEGATIVE_INFINITY;
  /** The newest first. */
  let names: string[] = [];
  let trouble = 'it has just started';
  let renewing: Promise<void> | undefined;
  let closed = false;

  const subscribed: Subscription = subscription(deps.openSubscriber, {
    message: hear,
    opened: () => void renew().catch(noteTrouble),
    lost: () => endEpoch('its subscription broke'),
  });

  function current(): Epoch | undefined {
    if (epoch === undefined) return undefined;
    const sureUntilMs = Math.min(renewedAtMs, echoedAtMs) + LEASE_MS;
    // The clock on the wall as well: in a machine that sleeps, only that one goes on.
    if (monotonic() < sureUntilMs && clock.now() < renewedAtWallMs + LEASE_MS) return epoch;
    endEpoch('it has not heard from Redis in time');
    return undefined;
  }

  function endEpoch(why: string): void {
    epoch = undefined;
    echoedAtMs = Number.NEGATIVE_INFINITY;
    trouble = why;
  }

  function hear(text: string): void {
    const message = readMessage(text);
    if (message === undefined) return;
    if (message.kind !== 'echo') {
      deps.onMessage(message);
      return;
    }
    echoedAtMs = Math.max(echoedAtMs, message.askedAtMs);
    unheardSinceMs = undefined;
    patienceMs = LEASE_MS;
    retryMs = FIRST_RETRY_MS;
    if (epoch === undefined) renew().catch(noteTrouble);
  }

  /** Asks once at a time: a question that Redis has not answered yet is not made better by another. */
  function renew(): Promise<void> {
    renewing ??= ask().finally(() => {
      renewing = undefined;
    });
    return renewing;
  }

  async function ask(): Promise<void> {
    const connections = connection.count();
    const [askedAtMs, askedAtWallMs] = [monotonic(), clock.now()];
    const asked = current();
    const mayJoin = subscribed.isOpen && echoedAtMs + LEASE_MS > askedAtMs;
    const mode = asked !== undefined ? 'renew' : mayJoin ? 'join' : 'look';
    const member = asked?.member ?? randomBytes(12).toString('base64url');
    // Others may see it there before this process hears that it is.
    if (mode === 'join') names = [member, ...names.slice(0, 1)];
    const answer = await runScript(
      client,
      keepMembership,
      [keys.registry],
      [
        mode,
        member,
        keys.feedChannel(''),
        deps.process,
        askedAtMs,
        randomBytes(9).toString('base64url'),
        state?.server ?? 'none',
        LEASE_MS,
        // A slot that moves to another node of a Cluster is no reason for doubt.
        client.isCluster === true ? 0 : SETTLING_MS,
        REGISTRY_LIFE_MS,
      ],
    );
    if (closed) return;

    const [feed, present, server, settlingMs, echoed] = answer as [string, unknown, string, unknown, unknown];
    const before = state;
    // A node of a Cluster that is lost may be replaced by one that lacks what was written last.
    const nodesLost = connection.nodesLost();
    const isNodeLost = before !== undefined && before.nodesLost !== nodesLost;
    state = {
      feed,
      server,
      connections,
      nodesLost,
      settlesAtMs: Math.max(
        before?.settlesAtMs ?? Number.NEGATIVE_INFINITY,
        monotonic() + (isNodeLost ? SETTLING_MS : Number(settlingMs)),
      ),
    };

    if (before?.feed !== feed) {
      endEpoch('Redis has no registry, or another one than before');
      listen();
      if (before !== undefined) deps.onDataLost();
      return;
    }
    if (!isOne(echoed)) trouble = 'Redis does not let it publish';
    if (echoedAtMs < askedAtMs) unheardSinceMs ??= askedAtMs;
    if (before.server !== server) {
      endEpoch('Redis was restarted, or another server took over');
      deps.onDataLost();
      return;
    }
    if (isNodeLost) deps.onDataLost();
    if (mode === 'join') {
      epoch = {
        member,
        coversIssuedSinceSeconds: Math.ceil((clock.now() + ISSUE_MARGIN_MS) / 1000),
        cleared: new WeakSet(),
      };
    } else if (asked !== undefined && current() === asked && !isOne(present)) {
      endEpoch('it did not acknowledge a revocation in time');
    }
    if (epoch !== undefined) [renewedAtMs, renewedAtWallMs] = [askedAtMs, askedAtWallMs];
  }

  function listen(): void {
    if (state === undefined) return;
    unheardSinceMs = undefined;
    patienceMs = FIRST_ECHO_MS;
    listensAgainAtMs = monotonic() + retryMs;
    retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS);
    subscribed.open([keys.feedChannel(state.feed), keys.feedChannel(`${state.feed}:${deps.process}`)]);
  }

  function noteTrouble(error: unknown): void {
    trouble =
      error instanceof Error ? `Redis does not answer it: ${error.message.slice(0, 120)}` : 'Redis does not answer it';
  }

  const timer = setInterval(() => {
    const nowMs = monotonic();
    current(); // ends an epoch that is over
    if (unheardSinceMs !== undefined && nowMs - unheardSinceMs > patienceMs) {
      endEpoch('it does not hear itself over its subscription');
      subscribed.close();
    }
    if (!subscribed.isOpen && nowMs >= listensAgainAtMs) listen();
    renew().catch(noteTrouble);
    deps.onTick();
  }, RENEW_MS);
  timer.unref();
  renew().catch(noteTrouble);

  return {
    current,
    async askState() {
      for (let attemptsLeft = 3; attemptsLeft > 0; attemptsLeft -= 1) {
        if (state !== undefined && state.connections === connection.count()) return state;
        await renew();
      }
      throw new Error('the connection to Redis comes and goes');
    },
    isStill: (then) =>
      state !== undefined &&
      state.connections === connection.count() &&
      state.feed === then.feed &&
      state.server === then.server,
    channel: () => state && keys.feedChannel(state.feed),
    channelOf: (process) => state && keys.feedChannel(`${state.feed}:${process}`),
    memberNames: () => names,
    isListening: () => subscribed.isOpen && echoedAtMs + LEASE_MS > monotonic(),
    trouble: () => trouble,
    close() {
      closed = true;
      clearInterval(timer);
      subscribed.close();
      connection.close();
      endEpoch('it was closed');
    },
  };
}

/** Connections that came or went: what was asked before may have been answered by another server. */
function watchConnections(client: RedisClient): { count(): number; nodesLost(): number; close(): void } {
  const EVENTS = ['close', 'end', '-node', '+node', 'node error'];
  let [count, nodesLost] = [0, 0];
  const changed = () => {
    count += 1;
  };
  const lost = () => {
    nodesLost += 1;
  };
  for (const event of EVENTS) client.on(event, changed);
  client.on('-node', lost);
  return {
    count: () => count,
    nodesLost: () => nodesLost,
    close() {
      for (const event of EVENTS) client.off(event, changed);
      client.off('-node', lost);
    },
  };
}
