import { type ApiDocument, createJudge } from './fuzz-judge.js';
import { randomOf } from './fuzz-random.js';
import { hostileRequest, type HostileRequest, type Surface } from './fuzz-requests.js';
import { createSender, type Received } from './fuzz-send.js';
import type { Loot } from './fuzz-values.js';

/** The application that is attacked, and what its owner can tell of it. */
export interface FuzzTarget {
  port: number;
  surface: Surface;
  document: ApiDocument;
  /** Signs in as anyone would, over HTTP, whoever's address it is. */
  signIn(to: { email: string } | { phone_number: string }): Promise<Haul>;
  /** The newest codes that were sent, whoever to. */
  codes(): readonly string[];
}

/** What somebody has after they signed in. */
export interface Haul {
  accessToken: string;
  refreshToken: string;
  deviceToken: string;
  ids: readonly string[];
}

export interface FuzzReport {
  seed: number;
  requests: number;
  /** How often each status came. 0: the connection was ended. */
  statuses: Map<number, number>;
  /** Which of the router's lines were asked for. */
  routes: Set<string>;
  slowestMs: number;
  /** What must not be, with the request that led to it. */
  findings: string[];
}

const AT_ONCE = 24;
/** Hostile requests end sessions as well, and delete users: so often there are new ones. */
const REQUESTS_PER_LOOT = 200;
const MOST_FINDINGS = 20;
const ADMIN = 'admin@example.com';
const PHONE_NUMBER = '+4915112345678';

/** Sends requests until there were so many, or the time is up. */
export async function fuzz(
  target: FuzzTarget,
  { seed, requests, forMs = Infinity }: { seed: number; requests: number; forMs?: number },
): Promise<FuzzReport> {
  const report: FuzzReport = {
    seed,
    requests: 0,
    statuses: new Map(),
    routes: new Set(),
    slowestMs: 0,
    findings: [],
  };
  const judge = createJudge(target.surface, target.document);
  const sender = createSender(target.port);
  const endsAt = performance.now() + forMs;
  const isOver = () =>
    report.requests >= requests || performance.now() > endsAt || report.findings.length >= MOST_FINDINGS;

  const attack = async (number: number, loot: Loot) => {
    const request = hostileRequest(randomOf(seed, number), target.surface, loot);
    if (request.route !== undefined) report.routes.add(`${request.route.method} ${request.route.path}`);
    const find = (what: string, answer?: Received) => report.findings.push(describe(number, request, what, answer));
    try {
      for (const answer of await sender.send(request)) {
        report.statuses.set(answer.status, (report.statuses.get(answer.status) ?? 0) + 1);
        report.slowestMs = Math.max(report.slowestMs, answer.tookMs);
        const wrong = judge(request, answer);
        if (wrong !== undefined) find(wrong, answer);
      }
    } catch (error) {
      find(String(error));
    }
  };

  for (let round = 0; !isOver(); round += 1) {
    const loot = await gather(target, round);
    const last = Math.min(report.requests + REQUESTS_PER_LOOT, requests);
    const attackers = Array.from({ length: AT_ONCE }, async () => {
      while (report.requests < last && !isOver())
        await attack((report.requests += 1), { ...loot, codes: target.codes() });
    });
    await Promise.all(attackers);
  }
  sender.close();
  return report;
}

/** The numbers in one line. */
export function summaryOf({ seed, requests, statuses, routes, slowestMs, findings }: FuzzReport): string {
  const counts = [...statuses].sort(([one], [other]) => one - other).map(([status, count]) => `${count}× ${status}`);
  return `seed ${seed}: ${requests} requests to ${routes.size} routes (${counts.join(', ')}); slowest ${Math.round(slowestMs)} ms; ${findings.length} findings`;
}

async function gather(target: FuzzTarget, round: number): Promise<Loot> {
  const email = `u${round}@example.com`;
  const people = [{ email }, { email: ADMIN }, ...(round % 4 === 0 ? [{ phone_number: PHONE_NUMBER }] : [])];
  const hauls: Haul[] = [];
  for (const person of people) {
    // Who was locked out, deleted or disabled by the requests before has nothing to lose any more.
    const haul = await target.signIn(person).catch(() => undefined);
    if (haul !== undefined) hauls.push(haul);
  }
  return {
    emails: [email, ADMIN, `new${round}@example.com`],
    phoneNumbers: [PHONE_NUMBER],
    codes: [],
    accessTokens: hauls.map(({ accessToken }) => accessToken),
    refreshTokens: hauls.map(({ refreshToken }) => refreshToken),
    deviceTokens: hauls.map(({ deviceToken }) => deviceToken),
    ids: hauls.flatMap(({ ids }) => ids),
  };
}

function describe(
  number: number,
  { method, path, headers, body, raw }: HostileRequest,
  what: string,
  answer?: Received,
) {
  const shown = (bytes: Buffer) => JSON.stringify(bytes.toString('latin1').slice(0, 600));
  const request = raw === undefined ? `${method} ${path} ${JSON.stringify(headers)} ${shown(body)}` : shown(raw);
  const came = answer && `${answer.status} ${JSON.stringify(answer.headers)} ${answer.text.slice(0, 600)}`;
  return `request ${number}: ${what}\n  sent: ${request.slice(0, 2_000)}\n  came: ${came ?? 'nothing'}`;
}
