import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection, createServer, type AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import { doctor } from '../../src/cli/doctor/doctor.js';
import { secret } from '../../src/cli/secret.js';
import { startAuthApp } from '../support/auth-app.js';
import { closeAfterFile } from '../support/closing.js';
import { projectWithPackage } from '../support/installed-package.js';
import { describeWithOwnRedis, redisUrl, startRedis, startRedisCluster } from '../support/redis.js';
import { startSmtp, type SmtpOptions } from '../support/smtp.js';
import { startDns, type Zone } from './dns-server.js';

const PREFIX = 'EXPRESS_OTP_AUTH_';
const SECRET = secret();
/** Sends nothing, so that what is asked is about something else. */
const QUIET = { DISABLE_LOCAL_AUTH: 'true' };

type Variables = Record<string, string>;

interface Examination {
  status: number;
  text: string;
  /** Each finding, with its level in front and its remedy behind. */
  of: (check: string) => string[];
}

/** Runs the doctor in this process, on these variables (without their prefix) and no others. */
async function examine(variables: Variables = {}, args: string[] = [], env: Variables = {}): Promise<Examination> {
  let text = '';
  const named = Object.entries({ JWT_SECRET: SECRET, ...variables }).map(([name, value]) => [PREFIX + name, value]);
  const status = await doctor(
    ['--json', ...args],
    { ...(Object.fromEntries(named) as Variables), ...env },
    {
      out: { isTTY: false, write: (part: string) => Boolean((text += part)) },
      progress: { isTTY: false, write: () => true },
    },
  );
  const { checks } = JSON.parse(text) as {
    checks: { name: string; findings: { level: string; message: string; remedy?: string }[] }[];
  };
  return {
    status,
    text,
    of: (check) =>
      checks
        .find(({ name }) => name === check)!
        .findings.map(({ level, message, remedy = '' }) => `${level}: ${message} ${remedy}`.trim()),
  };
}

const complaints = (findings: string[]) => findings.filter((finding) => /^(?:warning|error)/.test(finding));
const production = { NODE_ENV: 'production' };

describe('express-otp-auth doctor', () => {
  it('finds nothing wrong where nothing is, and says so with exit status 0', async () => {
    const smtp = await startSmtpServer({ login: { username: 'app', password: 'the-password' } });
    const { status, text } = await examine({
      REDIS_URL: redisUrl(),
      SMTP_SERVER: smtp.host,
      SMTP_PORT: String(smtp.port),
      SMTP_USERNAME: 'app',
      SMTP_PASSWORD: 'the-password',
    });
    expect([status, /"level": "(?:warning|error)"/.test(text)]).toEqual([0, false]);
  });

  it('tells of all that is wrong with the configuration, and examines the rest all the same', async () => {
    const { status, of } = await examine({
      REDIS_URL: redisUrl(),
      OTP_LENGTH: '3',
      JWT_SECRET: 'short',
      COOKIE_SAME_SITE: 'none',
      ...QUIET,
    });
    const told = of('configuration').join('\n');
    expect(told).toContain('EXPRESS_OTP_AUTH_OTP_LENGTH (otp.length)');
    expect(told).toContain('EXPRESS_OTP_AUTH_JWT_SECRET (jwt.secret) must have 32 bytes at least');
    expect(told).toContain('EXPRESS_OTP_AUTH_COOKIE_SAME_SITE (cookie.sameSite)');
    expect(of('secret')).toEqual(['skipped: Mend jwt.secret first.']);
    expect(of('redis')[0]).toMatch(/^ok: Redis at .* answers/);
    expect(status).toBe(2);
  });

  it('demands more for production', async () => {
    const { of } = await examine({ REDIS_URL: 'memory:', JWT_SECRET: '', DISABLE_LOCAL_AUTH: 'true' }, [], production);
    expect(complaints(of('configuration'))).toHaveLength(3);
    expect(of('configuration').join()).not.toContain('development');
  });

  it('says which variable was meant where a name is misspelt', async () => {
    const { of, status } = await examine({ REDIS_URL: 'memory:', SMPT_SERVER: 'mail.example.org', ...QUIET });
    expect(of('configuration').join('\n')).toContain('Did you mean EXPRESS_OTP_AUTH_SMTP_SERVER?');
    expect(status).toBe(1);
  });

  it.each([
    ['', /^warning: .* is not set: a random one serves/],
    ['ab'.repeat(20), /^error: The secret repeats itself/],
    ['my-super-secret-key-that-is-very-long-indeed', /^error: The secret holds words that guessers try first/],
    [
      'abcdefghhgfedcbaabcdefghhgfedcbb'.replaceAll('g', 'a').replaceAll('h', 'b'),
      /^error: The secret has only 6 different/,
    ],
    [SECRET, /^ok: The secret is long/],
  ])('judges the secret %p', async (value, verdict) => {
    const { of } = await examine({ REDIS_URL: 'memory:', ...QUIET, JWT_SECRET: value });
    expect(of('secret')[0]).toMatch(verdict);
  });

  it('judges each of several secrets', async () => {
    const { of } = await examine({ REDIS_URL: 'memory:', ...QUIET, JWT_SECRET: `${SECRET},${'xy'.repeat(20)}` });
    expect(of('secret').map((finding) => finding.slice(0, 40))).toEqual([
      'ok: The secret 1 is long, and looks rand',
      'error: The secret 2 repeats itself. Take',
      'note: 2 secrets are listed: the first si',
    ]);
  });

  it('reads a file of variables, behind those of the environment', async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'express-otp-auth-doctor-'));
    closeAfterFile(() => rmSync(folder, { recursive: true }));
    const file = path.join(folder, '.env');
    writeFileSync(file, `${PREFIX}OTP_LENGTH=99\n${PREFIX}OTP_MAX_ATTEMPTS=99\n`);
    const { of } = await examine({ REDIS_URL: 'memory:', OTP_LENGTH: '8', ...QUIET }, ['--env-file', file]);
    expect(of('configuration').join('\n')).toContain('OTP_MAX_ATTEMPTS');
    expect(of('configuration').join('\n')).not.toContain('OTP_LENGTH');
  });

  it('shows progress and colours on a terminal alone, and no colours where they are not wanted', async () => {
    const see = async (isTTY: boolean, env: Variables = {}) => {
      let [out, progress] = ['', ''];
      await doctor(
        [],
        { [`${PREFIX}REDIS_URL`]: 'memory:', [`${PREFIX}DISABLE_LOCAL_AUTH`]: 'true', ...env },
        {
          out: { isTTY, write: (part: string) => Boolean((out += part)) },
          progress: { isTTY, write: (part: string) => Boolean((progress += part)) },
        },
      );
      return { colours: out.includes('\u001b['), progress: progress.includes('Redis …'), warns: out.includes('→ ') };
    };
    expect(await see(true)).toEqual({ colours: true, progress: true, warns: true });
    expect(await see(true, { NO_COLOR: '1' })).toEqual({ colours: false, progress: true, warns: true });
    expect(await see(false)).toEqual({ colours: false, progress: false, warns: true });
  });

  it.each([[['--origin', 'app']], [['--nonsense']], [['--timeout', 'soon']], [['--env-file', '/none']]])(
    'refuses %p, and shows what it takes',
    async (args) => {
      let said = '';
      const silent = { isTTY: false, write: () => true };
      const progress = { isTTY: false, write: (part: string) => Boolean((said += part)) };
      expect(await doctor(args, {}, { out: silent, progress })).toBe(2);
      expect(said).toContain('Usage: express-otp-auth doctor');
    },
  );

  it('runs from the installed package', () => {
    const project = projectWithPackage({ kinds: ['esm'] });
    const program = path.join(project, 'node_modules/express-otp-auth/dist/esm/cli/main.js');
    const env = { [`${PREFIX}REDIS_URL`]: 'redis://127.0.0.1:1', [`${PREFIX}DISABLE_LOCAL_AUTH`]: '1' };
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, 'doctor'], {
      cwd: project,
      env,
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([2, '']);
    expect(stdout).toContain('Nothing listens at 127.0.0.1:1.');
    expect(stdout).not.toContain('\u001b');
  });
});

describeWithOwnRedis('express-otp-auth doctor on Redis', () => {
  const ask = async (url: string, args: string[] = [], env: Variables = {}) =>
    (await examine({ REDIS_URL: url, ...QUIET }, args, env)).of('redis');
  const own = async (...args: string[]) => (await startRedis({ args })).url;

  it.each([
    ['redis://127.0.0.1:1', 'Nothing listens at 127.0.0.1:1.'],
    ['redis://no-such-host.invalid', 'There is no host of the name in no-such-host.invalid:6379.'],
  ])('says why %s cannot be reached', async (url, message) => {
    expect((await ask(url))[0]).toContain(`error: ${message}`);
  });

  it('asks for a password, and refuses a wrong one, without showing any', async () => {
    const url = await own('--requirepass', 'open-sesame');
    expect((await ask(url))[0]).toMatch(/^error: .* wants a password/);
    const wrong = await examine({ REDIS_URL: url.replace('//', '//:wrong-sesame@'), ...QUIET });
    expect(wrong.of('redis')[0]).toMatch(/^error: .* refuses the user name or the password/);
    const right = await examine({ REDIS_URL: url.replace('//', '//:open-sesame@'), ...QUIET });
    expect(complaints(right.of('redis'))).toEqual([]);
    expect(wrong.text + right.text).not.toMatch(/sesame/);
    expect(right.text).not.toContain(SECRET);
  });

  it('warns of eviction, and calls it an error once it can happen', async () => {
    const policy = ['--maxmemory-policy', 'allkeys-lru'];
    expect(complaints(await ask(await own(...policy)))[0]).toMatch(/^warning: maxmemory-policy is allkeys-lru/);
    const bounded = complaints(await ask(await own(...policy, '--maxmemory', '100mb')));
    expect(bounded[0]).toMatch(/^error: .* drops revocations .* CONFIG SET maxmemory-policy noeviction/);
  });

  it('warns of what a restart loses, in production', async () => {
    const url = await own();
    expect(complaints(await ask(url))).toEqual([]);
    expect(complaints(await ask(url, [], production))[0]).toMatch(/^warning: It saves nothing to a disk/);
    const redis = new Redis(url);
    await redis.config('SET', 'save', '3600 1');
    expect(complaints(await ask(url, [], production))[0]).toMatch(/^warning: It saves snapshots only/);
    await redis.config('SET', 'appendonly', 'yes');
    redis.disconnect();
    expect(complaints(await ask(url, [], production))).toEqual([]);
  });

  it('tells a Cluster’s node, a replica and a full memory', async () => {
    const { nodes } = await startRedisCluster({ nodes: 1 });
    expect(complaints(await ask(`redis://127.0.0.1:${nodes[0]!.port}`))[0]).toMatch(
      /^error: It is a node of a Cluster/,
    );
    const primary = await startRedis();
    expect(complaints(await ask(await own('--replicaof', '127.0.0.1', String(primary.port))))[0]).toMatch(
      /^error: It is a replica/,
    );
    expect(complaints(await ask(await own('--maxmemory', '1000')))[0]).toMatch(/^error: It refuses to write \(OOM\)/);
  });

  it('says what a user may not', async () => {
    const url = await own();
    const admin = new Redis(url);
    await admin.call('ACL', 'SETUSER', 'app', 'on', '>word', '~*', '+@all', '-info', '-eval');
    await admin.call('ACL', 'SETUSER', 'reader', 'on', '>word', '~*', '+@all', '-eval');
    admin.disconnect();
    expect(await ask(url.replace('//', '//app:word@'))).toContainEqual(
      expect.stringMatching(/^skipped: INFO is not allowed/),
    );
    expect(await ask(url.replace('//', '//reader:word@'))).toContainEqual(
      expect.stringMatching(/^error: It refuses to write \(NOPERM\)/),
    );
  });

  it('tells a version that is too old', async () => {
    const url = await throughProxy(await own(), (text) => text.replace(/redis_version:\d/, 'redis_version:5'));
    expect(complaints(await ask(url))[0]).toMatch(/^error: It is Redis 5\..*older than 6\.2/);
  });

  it('tells a machine whose clock is wrong', async () => {
    const url = await own();
    const { now } = Date;
    const wrong = jest.spyOn(Date, 'now').mockImplementation(() => now() + 90_000);
    try {
      expect(complaints(await ask(url))[0]).toMatch(/^error: This machine’s clock is 90 s ahead of that of Redis/);
    } finally {
      wrong.mockRestore();
    }
  });

  it('waits no longer than it is told to, also for one that is frozen', async () => {
    const redis = await startRedis();
    redis.pause();
    expect((await ask(redis.url, ['--timeout', '0.5']))[0]).toBe('error: No answer came within 0.5 s.');
    redis.resume();
  });
});

describe('express-otp-auth doctor on mail servers', () => {
  const ask = async (server: { host: string; port: number }, more: Variables = {}, args: string[] = []) => {
    const variables = { REDIS_URL: 'memory:', SMTP_SERVER: server.host, SMTP_PORT: String(server.port), ...more };
    return (await examine(variables, args)).of('smtp');
  };

  it('says that nothing is there, and what else there is to do', async () => {
    expect((await ask({ host: '127.0.0.1', port: 1 }))[0]).toMatch(
      /^error: Nothing listens at 127\.0\.0\.1:1\..*SMTP_SERVER/,
    );
    expect((await ask({ host: 'no-such-host.invalid', port: 25 }))[0]).toMatch(
      /^error: There is no host no-such-host\.invalid/,
    );
  });

  it('tells a login that is refused, and one that nobody asked for', async () => {
    const guarded = await startSmtpServer({ login: { username: 'app', password: 'right' } });
    const wrong = await ask(guarded, { SMTP_USERNAME: 'app', SMTP_PASSWORD: 'wrong-word' });
    expect(complaints(wrong)[0]).toMatch(/^error: 127\.0\.0\.1 refuses the user name or the password/);
    expect(wrong.join()).not.toContain('wrong-word');
    const open = await startSmtpServer();
    expect(complaints(await ask(open, { SMTP_USERNAME: 'app', SMTP_PASSWORD: 'x' }))[0]).toMatch(
      /^error: .* offers no login/,
    );
  });

  it('tells which kind of TLS a server speaks', async () => {
    const plain = await startSmtpServer();
    expect((await ask(plain, { SMTP_SECURE: 'true' }))[0]).toMatch(/^error: .* does not speak TLS from the start/);
    expect((await ask(plain, { SMTP_SECURE: 'required' }))[0]).toMatch(/^error: .* offers no STARTTLS/);
    const starttls = await startSmtpServer({ tls: 'starttls' });
    expect((await ask(starttls, { SMTP_SECURE: 'required' }))[0]).toMatch(
      /^error: The certificate of .* is not one that this machine trusts/,
    );
    expect((await ask(starttls))[0]).toMatch(/^ok: .* over TLS/);
    const fromStart = await startSmtpServer({ tls: 'from-start' });
    expect((await ask(fromStart, {}, ['--timeout', '1']))[0]).toMatch(
      /^error: (?:No answer came|.* does not say anything)/,
    );
  });

  it('waits no longer than it is told to for one that says nothing', async () => {
    const silent = await startSmtpServer();
    silent.fail({ at: 'connection', how: 'stall' });
    expect((await ask(silent, {}, ['--timeout', '0.5']))[0]).toBe('error: No answer came within 0.5 s.');
  });
});

describe('express-otp-auth doctor on the sender’s domain', () => {
  const GOOD: Zone = {
    com: [],
    'acme.com': ['unrelated', 'v=spf1 include:spf.provider.net -all'],
    '_dmarc.acme.com': ['v=DMARC1; p=quarantine'],
    's1._domainkey.acme.com': ['v=DKIM1; k=rsa; p=MIIB'],
  };
  const ask = async (zone: Zone, args: string[] = [], from = 'app@acme.com') => {
    const server = await startDns(zone);
    const variables = { REDIS_URL: 'memory:', SMTP_PORT: '1', MAIL_FROM: from };
    return (await examine(variables, ['--dns-server', server, ...args])).of('mail-domain');
  };

  it('finds nothing wrong with SPF, DMARC and DKIM that are there', async () => {
    const found = await ask(GOOD, ['--dkim-selector', 's1']);
    expect(found.map((finding) => finding.split(':')[0])).toEqual(['ok', 'ok', 'ok']);
    const below = await ask({ ...GOOD, 'mail.acme.com': ['v=spf1 -all'] }, [], 'app@mail.acme.com');
    expect(below[1]).toBe('ok: acme.com has a DMARC policy.');
  });

  it.each<[string, Zone, RegExp]>([
    ['no SPF', { 'acme.com': [] }, /^warning: acme\.com has no SPF record/],
    ['two SPF records', { 'acme.com': ['v=spf1 -all', 'v=spf1 ~all'] }, /^error: acme\.com has 2 SPF records/],
    [
      'an SPF record for all',
      { 'acme.com': ['v=spf1 +all'] },
      /^error: The SPF record of acme\.com lets everybody send/,
    ],
    ['no DMARC', { '_dmarc.acme.com': [] }, /^warning: acme\.com has no DMARC record/],
    [
      'a revoked DKIM key',
      { 's1._domainkey.acme.com': ['v=DKIM1; p='] },
      /^error: The DKIM key at s1\._domainkey\.acme\.com is revoked/,
    ],
    ['no DKIM key', { 's1._domainkey.acme.com': [] }, /^warning: There is no DKIM key/],
  ])('tells of %s', async (_name, change, complaint) => {
    expect(complaints(await ask({ ...GOOD, ...change }, ['--dkim-selector', 's1']))[0]).toMatch(complaint);
  });

  it('says that nobody takes mail from the address that is there by default', async () => {
    const askWith = async (env: Variables) =>
      (await examine({ REDIS_URL: 'redis://127.0.0.1:1' }, [], env)).of('mail-domain')[0];
    expect(await askWith({})).toMatch(/^note: Messages come from an address at localhost/);
    expect(await askWith(production)).toMatch(/^error: Messages come from an address at localhost/);
  });

  it('tells a domain that does not exist from DNS that knows nothing, and from DNS that does not answer', async () => {
    expect((await ask({ com: [] }))[0]).toMatch(/^error: There is no domain acme\.com/);
    expect((await ask({}))[0]).toMatch(/^skipped: DNS does not answer here/);
    const silent = await startDns(GOOD, { silent: true });
    const args = ['--dns-server', silent, '--timeout', '1'];
    const { of } = await examine({ REDIS_URL: 'memory:', SMTP_PORT: '1', MAIL_FROM: 'app@acme.com' }, args);
    expect(of('mail-domain')[0]).toMatch(/^skipped: No answer came within 1 s/);
  });
});

describe('express-otp-auth doctor on cookies', () => {
  const ask = async (args: string[], variables: Variables = {}, env: Variables = {}) =>
    (await examine({ REDIS_URL: 'redis://127.0.0.1:1', ...variables }, args, env)).of('cookies');

  it.each<[string, string[], Variables, RegExp]>([
    ['an origin that keeps them', ['--origin', 'https://app.acme.com'], { COOKIE_SECURE: 'true' }, /^ok: Browsers at/],
    [
      'Secure cookies over HTTP',
      ['--origin', 'http://app.acme.com'],
      { COOKIE_SECURE: 'true' },
      /^error: .* is not HTTPS/,
    ],
    [
      'Secure cookies on localhost',
      ['--origin', 'http://localhost:3000'],
      { COOKIE_SECURE: 'true' },
      /^warning: .* Safari/,
    ],
    [
      'cookies that are not Secure',
      ['--origin', 'https://app.acme.com'],
      { COOKIE_SECURE: 'false' },
      /^error: .* not Secure/,
    ],
    [
      'another domain',
      ['--origin', 'https://app.acme.com'],
      { COOKIE_SECURE: 'true', COOKIE_DOMAIN: 'acme.org' },
      /^error: Cookies are for acme\.org/,
    ],
    [
      'an origin that is not allowed',
      ['--origin', 'https://app.acme.com', '--url', 'http://api.acme.com/auth'],
      { COOKIE_SECURE: 'true' },
      /^error: Pages at .*_ALLOWED_ORIGINS=https:\/\/app\.acme\.com/,
    ],
    [
      'another site',
      ['--origin', 'https://app.acme.com', '--url', 'https://acme.herokuapp.com/auth'],
      { COOKIE_SECURE: 'true', ALLOWED_ORIGINS: 'https://app.acme.com' },
      /^error: .* look like two sites/,
    ],
    [
      'another path',
      ['--origin', 'https://app.acme.com', '--url', 'https://app.acme.com/auth'],
      { COOKIE_SECURE: 'true', COOKIE_PATH: '/api' },
      /^error: Cookies are sent to paths below \/api alone/,
    ],
  ])('judges %s', async (_name, args, variables, verdict) => {
    expect((await ask([...args, '--timeout', '0.5'], variables))[0]).toMatch(verdict);
  });
});

describe('express-otp-auth doctor on a running application', () => {
  const ask = async (url: string) =>
    (await examine({ REDIS_URL: 'memory:', ...QUIET }, ['--url', url])).of('application');

  it('finds nothing wrong with one that is set up well, and uses nobody’s limits up', async () => {
    const { url, auth } = await startAuthApp();
    const hit = jest.fn();
    auth.events.on('limit.hit', hit);
    const found = await ask(`${url}/auth`);
    expect(found).toEqual([
      `ok: The router is at ${url}/auth.`,
      'ok: The application reaches its store.',
      'ok: A forged X-Forwarded-For changes nothing.',
      'ok: Its cookies have the flags that they should.',
    ]);
    expect(hit).not.toHaveBeenCalled();
  });

  it('finds out that anybody may choose the address that limits go by', async () => {
    const { url } = await startAuthApp({}, undefined, { prepare: (app) => app.set('trust proxy', true) });
    expect(complaints(await ask(`${url}/auth`))[0]).toMatch(/^warning: Whoever sends X-Forwarded-For chooses/);
  });

  it('finds out that cookies are dropped, that the store is gone, and that there is no router', async () => {
    const secure = await startAuthApp({ cookie: { secure: true } });
    expect(await ask(`${secure.url}/auth`)).toContainEqual(expect.stringMatching(/^note: Its cookies are Secure/));
    const { url } = await startAuthApp({ redis: 'redis://127.0.0.1:1' });
    expect(complaints(await ask(`${url}/auth`))[0]).toMatch(/^error: The application does not reach its store/);
    expect((await ask(url))[0]).toMatch(/^error: What is at .* is not the router: it answers 404/);
    expect((await ask('http://127.0.0.1:1/auth'))[0]).toMatch(/^error: Nothing listens/);
    expect((await ask(`${url.replace('http', 'https')}/auth`))[0]).toMatch(/^error: .* does not speak TLS/);
  });
});

async function startSmtpServer(options?: SmtpOptions) {
  const server = await startSmtp(options);
  closeAfterFile(() => server.close());
  return server;
}

/** A server whose answers are changed on their way. */
async function throughProxy(url: string, change: (text: string) => string): Promise<string> {
  const proxy = createServer((client) => {
    const server = createConnection(Number(new URL(url).port), '127.0.0.1');
    client.pipe(server);
    server.on('data', (data: Buffer) => client.write(change(data.toString('latin1')), 'latin1'));
    server.on('close', () => client.destroy());
    client.on('close', () => server.destroy());
    for (const socket of [client, server]) socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  closeAfterFile(() => proxy.close());
  return `redis://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
}
