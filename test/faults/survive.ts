import { setTimeout } from 'node:timers/promises';
import type { OtpAuthOptions } from '../../src/index.js';
import { type AuthApp, startAuthApp } from '../support/auth-app.js';
import { closeAfterFile } from '../support/closing.js';
import { type Load, type LoadReport, type LoadTarget, startLoad, worksWhole } from './load.js';
import { ownTime } from './own-time.js';
import { endConnections } from './send.js';

/** The default. */
export const STORE_TIMEOUT_MS = 1_000;
/** No request may wait longer, whatever is gone. */
const LONGEST_ANSWER_MS = STORE_TIMEOUT_MS + 1_000;
const LONGEST_RECOVERY_MS = 5_000;
const WARM_UP_MS = 400;
/** What has to be signed in and out, after the fault, of each load. */
const AFTERWARDS = 3;
const AFTERWARDS_MS = 5_000;

/** An application on a real port, by the real clock. */
export interface Survivor extends LoadTarget {
  app: AuthApp;
}

export async function startSurvivor(options: OtpAuthOptions, load: Partial<LoadTarget> = {}): Promise<Survivor> {
  const codes = new Map<string, string>();
  const app = await startAuthApp({
    storeTimeoutMs: STORE_TIMEOUT_MS,
    clock: { now: () => Date.now() },
    ...options,
    // All of the load comes from one address.
    limits: { requestsPerIpPerMinute: 1_000_000, verifiesPerIpPerMinute: 1_000_000, ...options.limits },
    email: options.email ?? { send: ({ to, text }) => void codes.set(to, /^\d{6}$/m.exec(text)?.[0] ?? '') },
  });
  closeAfterFile(endConnections);
  return { app, url: app.url, lastCode: (to) => codes.get(to), ...load };
}

/** How an outage of the store looks from the outside. */
export interface Survival extends LoadReport {
  /** From the fault's end until everything worked again. */
  backAfterMs: number;
}

/**
 * Runs the load on every application, then the fault (until its end), then waits until everything works again; prints
 * what was seen, and fails where anything of it must not be.
 */
export async function survive(
  title: string,
  survivors: Record<string, Survivor>,
  fault: () => Promise<unknown>,
): Promise<Record<string, Survival>> {
  const entries = Object.entries(survivors);
  for (const [, survivor] of entries) await untilItWorks(survivor);
  const loads = entries.map(([, survivor]) => startLoad(survivor));
  await setTimeout(WARM_UP_MS);
  await fault();
  const backAfterMs = await Promise.all(entries.map(([, survivor]) => untilItWorks(survivor)));
  await Promise.all(loads.map(untilItGoesOn));
  const reports = await Promise.all(loads.map((load) => load.stop()));

  const survivals = entries.map(([name], index): [string, Survival] => [
    name,
    { ...(reports[index] as LoadReport), backAfterMs: backAfterMs[index] as number },
  ]);
  for (const [name, survival] of survivals) process.stdout.write(`${title}, ${name}: ${summary(survival)}\n`);
  for (const [name, { violations, slowestMs, ...rest }] of survivals) {
    expect({ name, violations: violations.slice(0, 10) }).toEqual({ name, violations: [] });
    expect(slowestMs).toBeLessThan(LONGEST_ANSWER_MS);
    expect(rest.backAfterMs).toBeLessThan(LONGEST_RECOVERY_MS);
    expect(rest.codesAccepted).toBeGreaterThan(0);
    expect(rest.tokensRevoked).toBeGreaterThan(0);
  }
  return Object.fromEntries(survivals);
}

/** Milliseconds until a whole sign-in and sign-out works. */
export async function untilItWorks(target: LoadTarget): Promise<number> {
  const startedAt = ownTime();
  while (!(await worksWhole(target)) && ownTime() - startedAt < 2 * LONGEST_RECOVERY_MS) await setTimeout(20);
  return ownTime() - startedAt;
}

/** Resolves when the load has got through again. */
async function untilItGoesOn({ report }: Load): Promise<void> {
  const enough = report.tokensRevoked + AFTERWARDS;
  const giveUpAt = performance.now() + AFTERWARDS_MS;
  while (report.tokensRevoked < enough && performance.now() < giveUpAt) await setTimeout(50);
}

function summary(survival: Survival): string {
  const answers = [...survival.answers].sort(([one], [other]) => one.localeCompare(other));
  return [
    `${survival.requests} answers (${answers.map(([kind, count]) => `${count}× ${kind}`).join(', ')})`,
    `slowest ${Math.round(survival.slowestMs)} ms`,
    `back after ${Math.round(survival.backAfterMs)} ms`,
    `${survival.codesAccepted} codes accepted once each, ${survival.codesLost} lost`,
    `${survival.revokedTried} tries of ${survival.tokensRevoked} revoked sessions' tokens refused`,
    `${survival.violations.length} violations`,
  ].join('; ');
}
