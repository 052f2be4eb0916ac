import type SMTPConnection from 'nodemailer/lib/smtp-connection';
import type { Settings } from '../../config.js';
import { type Check, type Finding, isLoopback } from './check.js';

const SLOW_MS = 3000;

/** Whether the mail server is there, and takes the login. Nothing is sent. */
export const smtpCheck: Check = {
  name: 'smtp',
  title: 'Mail server',
  reads: ['email.smtp', 'magicOtp'],
  async run({ settings, production, signal }) {
    const { smtp, send, transport } = settings.email;
    if (send !== undefined || transport !== undefined)
      return [{ level: 'skipped', message: 'The application sends by itself.' }];
    if (settings.magicOtp) return [{ level: 'skipped', message: 'Nothing is sent with magic codes.' }];

    const { default: Connection } = await import('nodemailer/lib/smtp-connection');
    const connection = new Connection({
      host: smtp.host,
      port: smtp.port,
      secure: smtp.secure === true,
      requireTLS: smtp.secure === 'required',
      // As the package itself does: see email.smtp.secure.
      tls: { ...(smtp.secure === false && isLoopback(smtp.host) ? { rejectUnauthorized: false } : {}), ...smtp.tls },
      connectionTimeout: smtp.timeoutMs,
      greetingTimeout: smtp.timeoutMs,
      socketTimeout: smtp.timeoutMs,
      socketCloseTimeout: 500,
    });
    signal.addEventListener('abort', () => connection.close());
    const start = performance.now();
    try {
      await connect(connection);
      const connectedMs = performance.now() - start;
      const findings = [...greeting(connection, smtp, connectedMs), ...defaults(smtp, production)];
      if (smtp.username !== undefined) findings.push(await logIn(connection, smtp));
      return findings;
    } catch (error) {
      return [explainFailure(error, smtp)];
    } finally {
      connection.close();
    }
  },
};

type Smtp = Settings['email']['smtp'];

function connect(connection: SMTPConnection): Promise<void> {
  return new Promise((resolve, reject) => {
    connection.once('error', reject);
    connection.connect((error) => (error ? reject(error) : resolve()));
  });
}

function greeting({ secure }: SMTPConnection, { host, port, username }: Smtp, tookMs: number): Finding[] {
  const findings: Finding[] = [];
  const address = `${host}:${port}`;
  if (tookMs > SLOW_MS)
    findings.push({
      level: 'warning',
      message: `${address} answers, after ${(tookMs / 1000).toFixed(1)} s: people wait so long for each first message.`,
      remedy: "Use a nearer server, or delivery: 'background'.",
    });
  else
    findings.push({
      level: 'ok',
      message: `${address} answers in ${Math.round(tookMs)} ms, ${secure ? 'over TLS' : 'without TLS'}.`,
    });
  if (!secure && !isLoopback(host))
    findings.push({
      level: username === undefined ? 'warning' : 'error',
      message: `${username === undefined ? 'Codes go' : 'The password and all codes go'} to ${host} readable for everybody on the way.`,
      remedy: 'Set EXPRESS_OTP_AUTH_SMTP_SECURE=true and port 465, or another server: this one offers no STARTTLS.',
    });
  return findings;
}

function defaults({ host, port }: Smtp, production: boolean): Finding[] {
  if (!production || host !== '127.0.0.1' || port !== 1025) return [];
  return [
    {
      level: 'warning',
      message: 'This is the default address, which on developers’ machines catches mail and delivers none.',
      remedy: 'Set EXPRESS_OTP_AUTH_SMTP_SERVER, _PORT, _USERNAME and _PASSWORD.',
    },
  ];
}

async function logIn(connection: SMTPConnection, { username, password, host }: Smtp): Promise<Finding> {
  if (!connection.allowsAuth)
    return {
      level: 'error',
      message: `${host} offers no login${connection.secure ? '' : ' without TLS'}, and a user name is set.`,
      remedy: connection.secure
        ? 'Unset EXPRESS_OTP_AUTH_SMTP_USERNAME.'
        : 'Set EXPRESS_OTP_AUTH_SMTP_SECURE=true and port 465.',
    };
  return new Promise((resolve) => {
    connection.login({ credentials: { user: username, pass: password ?? '' } }, (error) => {
      const told =
        'Mend EXPRESS_OTP_AUTH_SMTP_USERNAME and _PASSWORD. Many providers want a password made for applications.';
      resolve(
        error
          ? { level: 'error', message: `${host} refuses the user name or the password.`, remedy: told }
          : { level: 'ok', message: 'The login is good.' },
      );
    });
  });
}

function explainFailure(error: unknown, { host, port, secure }: Smtp): Finding {
  const { code, message } = error as { code?: string; message: string };
  const address = `${host}:${port}`;
  const known: [symptom: RegExp, message: string, remedy: string][] = [
    [
      /ECONNREFUSED/,
      `Nothing listens at ${address}.`,
      'Set EXPRESS_OTP_AUTH_SMTP_SERVER and _PORT to your provider’s. For a try, EXPRESS_OTP_AUTH_DISABLE_LOCAL_AUTH=true sends nothing.',
    ],
    [/ENOTFOUND|EDNS|EAI_AGAIN/, `There is no host ${host}.`, 'Mend EXPRESS_OTP_AUTH_SMTP_SERVER.'],
    [
      /wrong version number|packet length too long/i,
      `${address} does not speak TLS from the start.`,
      'Set EXPRESS_OTP_AUTH_SMTP_SECURE=required for STARTTLS, or take the port for TLS, mostly 465.',
    ],
    [
      /certificate|self.signed|altnames|CERT_/i,
      `The certificate of ${address} is not one that this machine trusts for the name ${host}.`,
      'Use the name in the certificate, or give Node the authority: NODE_EXTRA_CA_CERTS=/path/to/ca.pem.',
    ],
    [
      /STARTTLS|ETLS/i,
      `${address} offers no STARTTLS, which EXPRESS_OTP_AUTH_SMTP_SECURE=required demands.`,
      'Take the port for TLS (465, with EXPRESS_OTP_AUTH_SMTP_SECURE=true), or another server.',
    ],
    [
      /greeting never received|ETIMEDOUT|timeout/i,
      `${address} does not say anything.`,
      secure === true
        ? 'Look at firewalls: many networks block mail ports.'
        : 'Port 465 wants EXPRESS_OTP_AUTH_SMTP_SECURE=true; and many networks block mail ports.',
    ],
  ];
  const text = `${code ?? ''} ${message}`;
  const [, told, remedy] = known.find(([symptom]) => symptom.test(text)) ?? [
    /./,
    `${address} cannot be used (${code ?? 'no reason given'}).`,
    'See the server’s log.',
  ];
  return { level: 'error', message: told, remedy };
}
