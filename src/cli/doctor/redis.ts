import { Redis } from 'ioredis';
import type { Settings } from '../../config.js';
import { type Check, type CheckContext, type Finding, isLoopback } from './check.js';

/** Whether Redis is there, and keeps what it is given. */
export const redisCheck: Check = {
  name: 'redis',
  title: 'Redis',
  reads: ['redis', 'redisOptions'],
  async run(context) {
    const { redis } = context.settings;
    if (redis === 'memory:')
      return [
        {
          level: 'note',
          message: 'Everything is kept in the process (memory:), and lost when it ends. There is no Redis to check.',
        },
      ];
    if (typeof redis !== 'string')
      return [{ level: 'skipped', message: 'The application hands over a client of its own.' }];
    return examine(redis, context);
  },
};

/** What each look at a server needs. */
interface Patient {
  redis: Redis;
  info: Record<string, string>;
  context: CheckContext;
}

const LOOKS: ((patient: Patient) => Finding[] | Promise<Finding[]>)[] = [
  version,
  clusterMode,
  role,
  writing,
  eviction,
  persistence,
  latency,
  clock,
];

async function examine(url: string, context: CheckContext): Promise<Finding[]> {
  const { host, hostname, protocol, password } = new URL(url);
  const address = host.includes(':') ? host : `${host}:6379`;
  let failure: unknown;
  const redis = new Redis(url, {
    ...context.settings.redisOptions,
    lazyConnect: true,
    // INFO may not be allowed, and what it says is judged below.
    enableReadyCheck: false,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    disconnectTimeout: 100,
  });
  redis.on('error', (error) => (failure = error));
  context.signal.addEventListener('abort', () => redis.disconnect());
  try {
    await redis.connect().catch((error: unknown) => {
      throw failure ?? error;
    });
    await redis.ping();
    const findings: Finding[] = [{ level: 'ok', message: `Redis at ${address} answers.` }];
    if (protocol === 'redis:' && !isLoopback(hostname))
      findings.push({
        level: password === '' ? 'note' : 'warning',
        message: `The connection to ${hostname} is not encrypted${password === '' ? '' : ', and neither is the password'}.`,
        remedy: 'Use rediss:// where the network between is not your own.',
      });
    const info = await readInfo(redis);
    if (info === undefined)
      return [
        ...findings,
        { level: 'skipped', message: 'INFO is not allowed to this user, so the server cannot be judged.' },
      ];
    for (const look of LOOKS) findings.push(...(await look({ redis, info, context })));
    return findings;
  } catch (error) {
    return [explainFailure(address, error, context.settings)];
  } finally {
    redis.disconnect();
  }
}

function explainFailure(address: string, error: unknown, { redis }: Settings): Finding {
  const { code, message } = error as { code?: string; message: string };
  const known: [symptom: RegExp, message: string, remedy: string][] = [
    [
      /ECONNREFUSED/,
      `Nothing listens at ${address}.`,
      'Start Redis there, or set EXPRESS_OTP_AUTH_REDIS_URL to where it is.',
    ],
    [
      /ENOTFOUND|EAI_AGAIN/,
      `There is no host of the name in ${address}.`,
      'Mend the name in EXPRESS_OTP_AUTH_REDIS_URL.',
    ],
    [
      /ETIMEDOUT|EHOSTUNREACH|ENETUNREACH/,
      `${address} cannot be reached.`,
      'Look at firewalls and networks between here and there.',
    ],
    [/NOAUTH/, `Redis at ${address} wants a password.`, 'Put it into the URL: redis://:password@host:port.'],
    [
      /WRONGPASS|invalid password|without any password configured/,
      `Redis at ${address} refuses the user name or the password.`,
      'Mend them in EXPRESS_OTP_AUTH_REDIS_URL.',
    ],
    [
      /DB index/,
      `Redis at ${address} has no database of the number in the URL.`,
      'Use /0, or raise ‘databases’ in its configuration.',
    ],
    [
      /wrong version number|packet length too long|EPROTO/i,
      `${address} does not speak TLS.`,
      'Use redis:// in place of rediss://.',
    ],
    [
      /certificate|self.signed|altnames/i,
      `The certificate of ${address} is not one that this machine trusts.`,
      'Give Node the authority: NODE_EXTRA_CA_CERTS=/path/to/ca.pem.',
    ],
    [
      /NOPERM/,
      `The user is not allowed what the package needs at ${address}.`,
      'docs/redis.md has the ACL SETUSER command for it, under “A user of its own”.',
    ],
    [/LOADING/, `Redis at ${address} is still reading its data.`, 'Wait, and ask again.'],
  ];
  const text = `${code ?? ''} ${message}`;
  const found = known.find(([symptom]) => symptom.test(text));
  if (found !== undefined) return { level: 'error', message: found[1], remedy: found[2] };
  const closed = /closed|ECONNRESET/i.test(text) && typeof redis === 'string' && redis.startsWith('redis:');
  return {
    level: 'error',
    message: `Redis at ${address} cannot be used: ${closed ? 'it closes the connection' : (code ?? message.split(/[\s:]/, 1)[0])}.`,
    remedy: closed ? 'If it is behind TLS, use rediss:// in the URL.' : 'See whether redis-cli can use the same URL.',
  };
}

async function readInfo(redis: Redis): Promise<Record<string, string> | undefined> {
  const text = await redis.info().catch(() => undefined);
  if (text === undefined) return undefined;
  return Object.fromEntries(
    text.split('\r\n').flatMap((line) => {
      const [name = '', ...value] = line.split(':');
      return value.length === 0 ? [] : [[name, value.join(':')]];
    }),
  );
}

function version({ info }: Patient): Finding[] {
  const { redis_version: redisVersion = '', valkey_version: valkeyVersion } = info;
  const name = valkeyVersion === undefined ? `Redis ${redisVersion}` : `Valkey ${valkeyVersion}`;
  const [major = 0, minor = 0] = redisVersion.split('.').map(Number);
  if (major > 6 || (major === 6 && minor >= 2)) return [{ level: 'ok', message: `It is ${name}.` }];
  return [
    {
      level: 'error',
      message: `It is ${name}: older than 6.2, and lacks commands.`,
      remedy: 'Move to Redis 7 or Valkey 8.',
    },
  ];
}

function clusterMode({ info }: Patient): Finding[] {
  if (info['cluster_enabled'] !== '1') return [];
  return [
    {
      level: 'error',
      message: 'It is a node of a Cluster, and a URL gets a client for a single server: most keys are on other nodes.',
      remedy: 'Hand over a client: otpAuth({ redis: new Cluster([{ host, port }]) }).',
    },
  ];
}

function role({ info }: Patient): Finding[] {
  if (info['role'] !== 'slave') return [];
  return [
    {
      level: 'error',
      message: 'It is a replica, which only reads.',
      remedy: 'Use the address of the primary, or Sentinel.',
    },
  ];
}

/** With a script, as every change is made. */
async function writing({ redis, info, context }: Patient): Promise<Finding[]> {
  if (info['cluster_enabled'] === '1' || info['role'] === 'slave') return [];
  const key = `${context.settings.limitKeyPrefix}{doctor}:probe`;
  const script = "redis.call('SET', KEYS[1], '1', 'PX', 1000) return redis.call('DEL', KEYS[1])";
  try {
    await redis.eval(script, 1, key);
    return [{ level: 'ok', message: 'It takes scripts that write.' }];
  } catch (error) {
    const [reason = ''] = (error as Error).message.replace(/^ERR /, '').split(/[\s:]/, 1);
    const remedies: Record<string, string> = {
      OOM: 'Its memory is full: raise maxmemory.',
      MISCONF: 'It cannot save to its disk: see its log.',
      NOPERM: 'Its user may not run scripts, or not write keys of these prefixes: see ACL SETUSER.',
      READONLY: 'It only reads: use the address of the primary.',
    };
    return [
      { level: 'error', message: `It refuses to write (${reason}).`, remedy: remedies[reason] ?? 'See its log.' },
    ];
  }
}

function eviction({ info }: Patient): Finding[] {
  const policy = info['maxmemory_policy'];
  if (policy === undefined)
    return [{ level: 'skipped', message: 'It does not tell what it does when its memory is full.' }];
  if (policy === 'noeviction') return [{ level: 'ok', message: 'It forgets nothing before its time (noeviction).' }];
  const isBounded = Number(info['maxmemory'] ?? 0) > 0;
  return [
    {
      level: isBounded ? 'error' : 'warning',
      message: `maxmemory-policy is ${policy}: ${isBounded ? 'when its memory is full' : 'once maxmemory is set'}, it drops revocations and counts, and revoked tokens are good again.`,
      remedy: 'CONFIG SET maxmemory-policy noeviction (and in its configuration file), or a Redis of its own.',
    },
  ];
}

async function persistence({ redis, info, context }: Patient): Promise<Finding[]> {
  const level = context.production ? 'warning' : 'note';
  if (info['aof_enabled'] === '1') return [{ level: 'ok', message: 'It writes down every change (appendonly).' }];
  const save = await redis.config('GET', 'save').catch(() => undefined);
  const lost = 'people are signed out, and tokens that were revoked are good again until they expire';
  const remedy = 'CONFIG SET appendonly yes (and in its configuration file).';
  if (save === undefined) return [{ level: 'skipped', message: 'It does not tell whether it saves to a disk.' }];
  const snapshots = (Array.isArray(save) ? save[1] : Object.values(save as object)[0]) as string;
  return snapshots === ''
    ? [{ level, message: `It saves nothing to a disk: when it restarts, ${lost}.`, remedy }]
    : [
        {
          level,
          message: `It saves snapshots only: after a crash, what is younger than the last one is lost: ${lost}.`,
          remedy,
        },
      ];
}

const SLOW_MS = 20;

async function latency({ redis, context }: Patient): Promise<Finding[]> {
  const times: number[] = [];
  for (let time = 0; time < 5; time += 1) {
    const start = performance.now();
    await redis.ping();
    times.push(performance.now() - start);
  }
  const median = times.toSorted((a, b) => a - b)[2] as number;
  const { storeTimeoutMs } = context.settings;
  const told = `${median < 10 ? median.toFixed(1) : Math.round(median)} ms`;
  if (median > storeTimeoutMs / 2)
    return [
      {
        level: 'error',
        message: `A round trip takes ${told}, and an operation may take ${storeTimeoutMs} ms at most.`,
        remedy: 'Bring Redis nearer, or raise EXPRESS_OTP_AUTH_STORE_TIMEOUT_MS.',
      },
    ];
  if (median > SLOW_MS)
    return [
      {
        level: 'warning',
        message: `A round trip takes ${told}, which is added to every guarded request.`,
        remedy: 'Bring Redis nearer, or set EXPRESS_OTP_AUTH_REVOCATION=push.',
      },
    ];
  return [{ level: 'ok', message: `A round trip takes ${told}.` }];
}

const LARGE_SKEW_MS = 2000;

/** Redis is asked no time; it stands for the other machines that tokens are verified on. */
async function clock({ redis, context }: Patient): Promise<Finding[]> {
  const before = context.settings.clock.now();
  const [seconds, microseconds] = (await redis.time()) as [number | string, number | string];
  const after = context.settings.clock.now();
  const skewMs = Number(seconds) * 1000 + Number(microseconds) / 1000 - (before + after) / 2;
  if (Math.abs(skewMs) <= LARGE_SKEW_MS + (after - before))
    return [{ level: 'ok', message: 'Its clock and this machine’s agree.' }];
  const which = skewMs > 0 ? 'behind' : 'ahead of';
  return [
    {
      level: Math.abs(skewMs) > 60_000 ? 'error' : 'warning',
      message: `This machine’s clock is ${Math.round(Math.abs(skewMs) / 1000)} s ${which} that of Redis: one of the two is wrong.`,
      remedy:
        'Have all machines keep time (chrony, systemd-timesyncd): tokens of a machine that is ahead are refused by the others.',
    },
  ];
}
