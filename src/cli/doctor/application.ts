import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { type Check, type CheckContext, type Finding, isLoopback } from './check.js';

const HOW =
  'Say where the router of the running application is, such as --url https://app.example.com/auth, to have it called.';

/** Calls the running application as a stranger would: nothing is sent to anybody, and nobody's limits are used up. */
export const applicationCheck: Check = {
  name: 'application',
  title: 'Running application',
  reads: [],
  async run(context) {
    const { url } = context;
    if (url === undefined) return [{ level: 'skipped', message: HOW }];
    try {
      const found = await reach(url, context);
      if (found.level !== 'ok') return [found];
      return [
        found,
        ...(await store(url, context)),
        ...(await trustProxy(url, context)),
        ...(await cookieFlags(url, context)),
      ];
    } catch (error) {
      return [explainFailure(url, error)];
    }
  },
};

interface Reply {
  status: number;
  headers: NodeJS.Dict<string | string[]>;
  text: string;
}

async function reach(url: URL, context: CheckContext): Promise<Finding> {
  const { status, text, headers } = await post(url, 'refresh', {}, context);
  if (text.includes('urn:express-otp-auth:error:')) return { level: 'ok', message: `The router is at ${url.href}.` };
  const location = String(headers['location'] ?? '');
  if (status >= 300 && status < 400 && URL.canParse(location, url.href))
    return {
      level: 'error',
      message: `${url.origin} sends elsewhere, to ${new URL(location, url.href).origin}.`,
      remedy: 'Give the address that it sends to.',
    };
  return {
    level: 'error',
    message: `What is at ${url.href} is not the router: it answers ${status}.`,
    remedy: 'Give the whole path that it is mounted at: app.use(‘/auth’, auth) makes https://…/auth.',
  };
}

/** A body that is counted by address, and judged before anybody's account is looked at. */
const MALFORMED = { doctor: true };

async function store(url: URL, context: CheckContext): Promise<Finding[]> {
  const { status } = await post(url, 'verify-otp', MALFORMED, context);
  return status === 503
    ? [
        {
          level: 'error',
          message: 'The application does not reach its store: it answers 503.',
          remedy: 'See its log, and the check of Redis.',
        },
      ]
    : [{ level: 'ok', message: 'The application reaches its store.' }];
}

/** Who may choose the address that limits go by can have as many of them as they like. */
async function trustProxy(url: URL, context: CheckContext): Promise<Finding[]> {
  const remaining = async (headers: Record<string, string> = {}) => {
    const reply = await post(url, 'verify-otp', MALFORMED, context, headers);
    const [, left, ends] = /r=(\d+);\s*t=(\d+)/.exec(String(reply.headers['ratelimit'] ?? '')) ?? [];
    return left === undefined ? undefined : { left: Number(left), endsInSeconds: Number(ends) };
  };
  const forged = { 'X-Forwarded-For': `203.0.113.${1 + (Math.floor(context.settings.clock.now() / 1000) % 250)}` };
  for (let attempt = 0; attempt < 2; attempt += 1) {
    const own = await remaining();
    const pretended = await remaining(forged);
    if (own === undefined || pretended === undefined)
      return [
        {
          level: 'skipped',
          message: 'Its limits per address do not show: something between here and there drops RateLimit fields.',
        },
      ];
    // A window that has just begun anew would look like another address.
    if (pretended.endsInSeconds > own.endsInSeconds + 1 && own.endsInSeconds <= 2) continue;
    if (pretended.left < own.left || own.left === 0)
      return [{ level: 'ok', message: 'A forged X-Forwarded-For changes nothing.' }];
    return [forgeable(url)];
  }
  return [{ level: 'skipped', message: 'Its limits per address changed too fast to be judged.' }];
}

function forgeable({ hostname }: URL): Finding {
  const message = 'Whoever sends X-Forwarded-For chooses the address that limits go by, a new one for each request.';
  const remedy =
    'Set app.set(‘trust proxy’, …) to your proxies’ addresses or their exact number, and to nothing where there is none.';
  return isLoopback(hostname)
    ? {
        level: 'warning',
        message: `${message} It may trust this machine alone, where its proxy is.`,
        remedy: `${remedy} Ask again from another machine.`,
      }
    : { level: 'error', message, remedy };
}

/** A refresh token that is none has its cookie cleared, with the flags that the real one is set with. */
async function cookieFlags(url: URL, context: CheckContext): Promise<Finding[]> {
  const { headers } = await post(url, 'refresh', { refresh_token: 'none' }, context);
  const [cookie] = [headers['set-cookie'] ?? []].flat();
  if (cookie === undefined) return [{ level: 'skipped', message: 'Its cookies cannot be seen.' }];
  const findings: Finding[] = [];
  const isSecure = /;\s*secure(?:;|$)/i.test(cookie);
  if (url.protocol === 'https:' && !isSecure)
    findings.push({
      level: 'error',
      message: 'Its cookies are not Secure over HTTPS: it does not know that the request came over HTTPS.',
      remedy: 'Set ‘trust proxy’ for the proxy that ends TLS, or EXPRESS_OTP_AUTH_COOKIE_SECURE=true.',
    });
  if (url.protocol === 'http:' && isSecure)
    findings.push({
      level: isLoopback(url.hostname) ? 'note' : 'error',
      message: 'Its cookies are Secure, and this address is not HTTPS: browsers drop them here.',
      remedy: 'Use the HTTPS address.',
    });
  if (url.protocol === 'http:' && !isLoopback(url.hostname))
    findings.push({
      level: 'warning',
      message: 'Codes and tokens go over the network unencrypted.',
      remedy: 'Serve it over HTTPS.',
    });
  if (!/;\s*httponly/i.test(cookie))
    findings.push({
      level: 'error',
      message: 'Its cookies are not HttpOnly.',
      remedy: 'See what rewrites Set-Cookie on the way.',
    });
  return findings.length > 0 ? findings : [{ level: 'ok', message: 'Its cookies have the flags that they should.' }];
}

function post(
  url: URL,
  endpoint: string,
  body: object,
  { signal }: CheckContext,
  headers: Record<string, string> = {},
): Promise<Reply> {
  const target = new URL(`${url.pathname.replace(/\/$/, '')}/${endpoint}`, url);
  const payload = JSON.stringify(body);
  const send = target.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const request = send(
      target,
      {
        method: 'POST',
        signal,
        agent: false,
        headers: { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(payload), ...headers },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (text = (text + chunk).slice(0, 10_000)));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
        response.on('error', reject);
      },
    );
    request.on('error', reject);
    request.end(payload);
  });
}

function explainFailure({ host, protocol }: URL, error: unknown): Finding {
  const { code = '', message } = error as { code?: string; message: string };
  const known: [symptom: RegExp, message: string, remedy: string][] = [
    [/ECONNREFUSED/, `Nothing listens at ${host}.`, 'Start the application first.'],
    [/ENOTFOUND|EAI_AGAIN/, `There is no host ${host}.`, 'Mend the address.'],
    [/wrong version number|EPROTO/i, `${host} does not speak TLS.`, 'Use http:// here, or the port for HTTPS.'],
    [
      /certificate|CERT_|self.signed|altnames/i,
      `The certificate of ${host} is not one that this machine trusts.`,
      'Mend it, or give Node the authority: NODE_EXTRA_CA_CERTS=/path/to/ca.pem.',
    ],
  ];
  const [, told, remedy] = known.find(([symptom]) => symptom.test(`${code} ${message}`)) ?? [
    /./,
    `${protocol}//${host} cannot be called (${code || 'no reason given'}).`,
    'See the application’s log.',
  ];
  return { level: 'error', message: told, remedy };
}
