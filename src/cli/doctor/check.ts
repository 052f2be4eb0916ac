import type { Settings } from '../../config.js';

/** `note`: worth knowing, and neither good nor bad. `skipped`: could not be found out, or was not asked for. */
export type Level = 'ok' | 'note' | 'skipped' | 'warning' | 'error';

/** One thing that was found out, in plain words. It holds no secret. */
export interface Finding {
  level: Level;
  message: string;
  /** How to mend it. */
  remedy?: string;
}

/** What a check is given. */
export interface CheckContext {
  settings: Settings;
  env: Record<string, string | undefined>;
  /** Whether the application runs, or will run, with `NODE_ENV=production`. */
  production: boolean;
  /** Where people's browsers are. */
  origin?: URL | undefined;
  /** Where the router of a running application is. */
  url?: URL | undefined;
  /** Where to look for a DKIM key. */
  dkimSelectors: readonly string[];
  /** @default the system's */
  dnsServers: readonly string[];
  /** Aborts when the check's time is up: whatever is open has to be closed. */
  signal: AbortSignal;
}

/** One question, answered on its own. */
export interface Check {
  /** Stable, for `--json`. */
  name: string;
  title: string;
  /** Options that it reads: where one of them is not valid, there is nothing to check yet. */
  reads: readonly string[];
  run(context: CheckContext): Finding[] | Promise<Finding[]>;
  /** What it is when nothing is known within the time. @default 'error' */
  lateIs?: Level;
}

/** What never leaves the machine. */
export function isLoopback(host: string): boolean {
  return /^(?:localhost|(?:.+\.)?localhost|127(?:\.\d{1,3}){3}|\[?::1\]?)$/i.test(host);
}
