import { readFileSync } from 'node:fs';
import { parseArgs, parseEnv } from 'node:util';
import { applicationCheck } from './application.js';
import type { Check, CheckContext, Finding } from './check.js';
import { readConfiguration } from './configuration.js';
import { cookiesCheck } from './cookies.js';
import { mailDomainCheck } from './mail-domain.js';
import { redisCheck } from './redis.js';
import { asJson, asText, type CheckResult, STATUSES, statusOf, summary } from './report.js';
import { secretCheck } from './secret.js';
import { smtpCheck } from './smtp.js';

const USAGE = `Usage: express-otp-auth doctor [options]

Looks at the configuration in the environment and at what it names, and says what is wrong and how to mend it.
Nothing is sent to anybody, and no secret is printed.

Options:
  --env-file <file>        read variables from a file as well; those of the environment win
  --origin <origin>        where people's browsers are, to check cookies: https://app.example.com
  --url <url>              where the router of the running application is, to call it: https://app.example.com/auth
  --dkim-selector <name>   look a DKIM key up; may be given several times
  --dns-server <address>   ask this server in place of the system's; may be given several times
  --timeout <seconds>      how long a check may take (10)
  --json                   print JSON

Exit status: 0 fine, 1 warnings, 2 errors.
`;

const CHECKS: readonly Check[] = [secretCheck, redisCheck, smtpCheck, mailDomainCheck, cookiesCheck, applicationCheck];

/** What the program writes to. */
export interface Terminal {
  out: Pick<NodeJS.WriteStream, 'write' | 'isTTY'>;
  progress: Pick<NodeJS.WriteStream, 'write' | 'isTTY'>;
}

/** `express-otp-auth doctor`; resolves to the exit status. */
export async function doctor(
  args: readonly string[],
  env: Record<string, string | undefined>,
  terminal: Terminal,
): Promise<number> {
  const wishes = readWishes(args, env);
  if (typeof wishes === 'string') {
    const isHelp = wishes === USAGE;
    (isHelp ? terminal.out : terminal.progress).write(wishes);
    return isHelp ? 0 : STATUSES.errors;
  }
  const { json, timeoutMs } = wishes;
  const { settings, findings, broken } = readConfiguration(wishes.env);
  const production = wishes.env['NODE_ENV'] === 'production';
  const results: CheckResult[] = [{ name: 'configuration', title: 'Configuration', findings }];

  // All at once, and told of in order: the slowest is what people wait for.
  const running = CHECKS.map((check) => ({
    check,
    found: runInTime(check, { ...wishes, settings, production }, broken, timeoutMs),
  }));
  const show = (result: CheckResult) => {
    if (!json) terminal.out.write(asText(result, usesColours(terminal, env)));
  };
  show(results[0] as CheckResult);
  for (const { check, found } of running) {
    const hide = showProgress(check, terminal);
    const result = { name: check.name, title: check.title, findings: await found };
    hide();
    results.push(result);
    show(result);
  }
  terminal.out.write(json ? asJson(results) : summary(results));
  return STATUSES[statusOf(results)];
}

type Wishes = Pick<CheckContext, 'env' | 'origin' | 'url' | 'dkimSelectors' | 'dnsServers'> & {
  json: boolean;
  timeoutMs: number;
};

/** What was asked for; where it cannot be read or is a question, what to print in place of an examination. */
function readWishes(args: readonly string[], env: Record<string, string | undefined>): Wishes | string {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        json: { type: 'boolean', default: false },
        origin: { type: 'string' },
        url: { type: 'string' },
        timeout: { type: 'string', default: '10' },
        'env-file': { type: 'string' },
        'dkim-selector': { type: 'string', multiple: true, default: [] },
        'dns-server': { type: 'string', multiple: true, default: [] },
      },
    });
    if (values.help) return USAGE;
    const file = values['env-file'];
    const timeoutMs = Number(values.timeout) * 1000;
    if (!(timeoutMs > 0)) throw new Error('--timeout must be a number of seconds.');
    return {
      json: values.json,
      timeoutMs,
      origin: readAddress('--origin', values.origin),
      url: readAddress('--url', values.url),
      dkimSelectors: values['dkim-selector'],
      dnsServers: values['dns-server'],
      env: file === undefined ? env : { ...parseEnv(readFileSync(file, 'utf8')), ...env },
    };
  } catch (error) {
    return `${(error as Error).message}\n\n${USAGE}`;
  }
}

function readAddress(name: string, text: string | undefined): URL | undefined {
  if (text === undefined) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol))
    throw new Error(`${name} must be an address such as https://app.example.com.`);
  return url;
}

/** Never rejects, and never takes longer. */
async function runInTime(
  check: Check,
  context: Omit<CheckContext, 'signal'>,
  broken: readonly string[],
  timeoutMs: number,
): Promise<Finding[]> {
  const unread = broken.find((path) =>
    check.reads.some((option) => path.startsWith(option) || option.startsWith(path)),
  );
  if (unread !== undefined) return [{ level: 'skipped', message: `Mend ${unread} first.` }];
  const late = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const timeIsUp = new Promise<Finding[]>((resolve) => {
    timer = setTimeout(() => {
      resolve([{ level: check.lateIs ?? 'error', message: `No answer came within ${timeoutMs / 1000} s.` }]);
      late.abort();
    }, timeoutMs);
  });
  const failed = (error: unknown): Finding[] => [
    { level: 'error', message: `The check itself failed: ${(error as Error).name}.`, remedy: 'Please report it.' },
  ];
  try {
    const run = async () => check.run({ ...context, signal: late.signal });
    return await Promise.race([run().catch(failed), timeIsUp]);
  } finally {
    clearTimeout(timer);
  }
}

/** For whoever watches; it leaves nothing behind. */
function showProgress({ title }: Check, { out, progress }: Terminal): () => void {
  if (!progress.isTTY || !out.isTTY) return () => {};
  progress.write(`${title} …`);
  return () => progress.write('\r\u001b[K');
}

function usesColours({ out }: Terminal, env: Record<string, string | undefined>): boolean {
  return Boolean(out.isTTY) && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
}
