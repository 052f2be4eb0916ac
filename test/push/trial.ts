import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Process, type ProcessReport, type SeenToken } from './fleet.js';

/** What came of one trial. */
export interface Verdict {
  revocations: number;
  /** Revocations whose answer was a failure: they promise nothing. */
  unacknowledged: number;
  checks: number;
  /** How many of them were acceptances, each of which was compared with the time of revocation. */
  accepted: number;
  /** How many checks were answered from memory. */
  fromMemory: number;
  unknown: number;
  /** Milliseconds from an acknowledgement to the latest acceptance of what it revoked; negative: before. */
  worstDelayMs: number;
  /** How that came about, for whoever has to find out. */
  worst: string;
  /** Tokens that a request sent after the acknowledgement was accepted with. */
  acceptedAfter: number;
  /** Tokens that nobody had revoked, and were refused. */
  refusedWithoutCause: number;
}

const WAYS = ['logout', 'session', 'user', 'reuse'] as const;

interface Token {
  index: number;
  acknowledgedAtMs?: number;
  isDoubtful: boolean;
  story: string;
}

/**
 * Signs users in through one process and revokes what they hold through another, at random, until told to stop, while
 * every process checks every token. Then compares each acceptance with the time of revocation.
 */
export function startTrial(fleet: Process[], { perSecond }: { perSecond: number }): { stop(): Promise<Verdict> } {
  const tokens: Token[] = [];
  const known: { index: number; accessToken: string }[] = [];
  const reports: ProcessReport[] = [];
  const underway = new Set<Promise<void>>();
  const taught = new WeakMap<Process, number>();
  let goesOn = true;
  let unacknowledged = 0;
  let revocations = 0;

  const running = () => fleet.filter((one) => one.isRunning);
  const any = () => running()[randomInt(running().length)] as Process;

  /** Whoever came later gets to know of the tokens that came before. */
  const teach = () => {
    for (const one of running()) {
      const from = taught.get(one) ?? 0;
      taught.set(one, known.length);
      for (const token of known.slice(from)) one.tell('watch', token).catch(() => {});
    }
  };

  async function live(user: number): Promise<void> {
    const email = `user${user}@example.com`;
    const how = WAYS[randomInt(WAYS.length)];
    const pairs = await any()
      .tell<{ accessToken: string; refreshToken: string }[]>('signIn', { email, count: how === 'user' ? 2 : 1 })
      .catch(() => []);
    const held = pairs.map(({ accessToken }) => {
      const token: Token = { index: tokens.length, isDoubtful: false, story: '' };
      tokens.push(token);
      known.push({ index: token.index, accessToken });
      return token;
    });
    if (held.length === 0) return;
    teach();
    await sleep(randomInt(50, 1500));
    if (running().length === 0) return;
    const [pair] = pairs as [{ accessToken: string; refreshToken: string }];
    const revoker = any();
    const acknowledgedAtMs = await revoker
      .tell<number>('revoke', { how, email, ...pair, sessionId: sessionOf(pair.accessToken), count: held.length })
      .catch(() => undefined);
    revocations += held.length;
    for (const token of held) {
      token.isDoubtful = acknowledgedAtMs === undefined;
      if (acknowledgedAtMs !== undefined) token.acknowledgedAtMs = acknowledgedAtMs;
      token.story = `revoked by ${how} in process ${fleet.indexOf(revoker)}, acknowledged at ${acknowledgedAtMs?.toFixed(0)}`;
    }
    if (acknowledgedAtMs === undefined) unacknowledged += held.length;
  }

  async function run(): Promise<void> {
    for (let user = 0; goesOn && running().length > 0; user += 1) {
      const life = live(user);
      underway.add(life);
      void life.finally(() => underway.delete(life));
      await sleep(1000 / perSecond);
    }
    await Promise.all(underway);
  }
  const done = run();

  return {
    async stop() {
      goesOn = false;
      await done;
      await sleep(1500); // whoever still accepts is found out
      for (const one of running()) reports.push(await one.tell<ProcessReport>('report'));
      return judge(tokens, reports, { revocations, unacknowledged });
    },
  };
}

function judge(
  tokens: Token[],
  reports: ProcessReport[],
  counted: { revocations: number; unacknowledged: number },
): Verdict {
  const sum = (name: keyof ProcessReport['counts']) => reports.reduce((all, { counts }) => all + counts[name], 0);
  const verdict: Verdict = {
    ...counted,
    checks: sum('checks'),
    accepted: sum('accepted'),
    fromMemory: sum('fromMemory'),
    unknown: sum('unknown'),
    worstDelayMs: Number.NEGATIVE_INFINITY,
    worst: '',
    acceptedAfter: 0,
    refusedWithoutCause: 0,
  };
  for (const [place, { seen }] of reports.entries())
    for (const one of seen) judgeToken(verdict, tokens[one.index] as Token, one, place);
  return verdict;
}

function judgeToken(
  verdict: Verdict,
  { acknowledgedAtMs, isDoubtful, story }: Token,
  seen: SeenToken,
  place: number,
): void {
  if (acknowledgedAtMs === undefined) {
    if (!isDoubtful && seen.refused > 0) verdict.refusedWithoutCause += 1;
    return;
  }
  if (seen.accepted === 0) return;
  const delayMs = seen.atMs - acknowledgedAtMs;
  if (delayMs > verdict.worstDelayMs) {
    verdict.worstDelayMs = delayMs;
    verdict.worst = `${story}, accepted by process ${place} of those left at ${seen.atMs.toFixed(0)}, ${seen.how}`;
  }
  if (seen.askedAtMs > acknowledgedAtMs) verdict.acceptedAfter += 1;
}

function sessionOf(accessToken: string): string {
  const payload = JSON.parse(Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString()) as { sid: string };
  return payload.sid;
}
