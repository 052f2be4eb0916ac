import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { simpleParser, type ParsedMail } from 'mailparser';
import { generate } from 'selfsigned';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

export interface SmtpOptions {
  /** Login is demanded, with these. @default none offered */
  login?: { username: string; password: string };
  /** @default 'none' */
  tls?: 'none' | 'starttls' | 'from-start';
}

/** Something the server does wrong, until it is told otherwise. */
export interface SmtpFault {
  /** `next-mail`: the sender's command of any mail but a connection's first. */
  at: 'connection' | 'recipient' | 'message' | 'next-mail';
  /** `refuse`: a permanent error. `hang-up`: the connection is gone. `stall`: no answer comes. */
  how: 'refuse' | 'hang-up' | 'stall';
}

export interface ReceivedMail {
  /** Of the envelope, not of the header. */
  from: string;
  to: string[];
  /** Whether it came over TLS. */
  encrypted: boolean;
  /** Who was logged in. */
  username: string | undefined;
  /** As it came over the wire. */
  raw: string;
  parsed: ParsedMail;
}

/** A real SMTP server on a free port of 127.0.0.1. */
export interface TestSmtp {
  host: string;
  port: number;
  /** PEM. Its own authority: pass it as `tls: { ca }`. Empty without TLS. */
  certificate: string;
  received: ReceivedMail[];
  connections: { opened: number; open: number };
  /** What to do wrong from now on; `undefined` for nothing. */
  fail(fault: SmtpFault | undefined): void;
  /** The code in the newest mail to this address. */
  lastCode(to: string): string;
  /** The newest mail to this address, once there are so many. @default 1 */
  waitFor(to: string, count?: number): Promise<ReceivedMail>;
  /** Ends the open connections, as a server does that restarts. */
  dropConnections(): Promise<void>;
  untilDisconnected(): Promise<void>;
  close(): Promise<void>;
}

/** Starts the server; mails are in `received` before the client hears that they were taken. */
export async function startSmtp({ login, tls = 'none' }: SmtpOptions = {}): Promise<TestSmtp> {
  const received: ReceivedMail[] = [];
  const connections = { opened: 0, open: 0 };
  const delivered = new Set<string>(); // sessions that have handed over a mail
  const listeners = new Set<() => void>();
  let fault: SmtpFault | undefined;

  function changed(): void {
    for (const listener of listeners) listener();
  }

  async function until(condition: () => boolean): Promise<void> {
    if (condition()) return;
    await new Promise<void>((resolve) => {
      const listener = (): void => {
        if (!condition()) return;
        listeners.delete(listener);
        resolve();
      };
      listeners.add(listener);
    });
  }

  /** Goes on with `next`, unless the fault that is set strikes here. */
  function unlessFaulty(
    at: SmtpFault['at'],
    sessionId: string,
    callback: (error?: Error) => void,
    next = callback,
  ): void {
    if (fault?.at !== at) return next();
    if (fault.how === 'refuse') return callback(refusal);
    if (fault.how === 'hang-up') hangUp((id) => id === sessionId);
  }

  function hangUp(isMeant: (sessionId: string) => boolean): void {
    for (const connection of server.connections) if (isMeant(connection.id)) connection._socket.destroy();
  }

  const { options: tlsOptions, certificate } = await tlsFor(tls);
  const server = new SMTPServer({
    ...tlsOptions,
    disabledCommands: [...(tls === 'none' ? ['STARTTLS'] : []), ...(login ? [] : ['AUTH'])],
    authOptional: !login,
    disableReverseLookup: true,
    logger: false,
    onConnect(session, callback) {
      connections.opened += 1;
      connections.open += 1;
      unlessFaulty('connection', session.id, callback);
    },
    onClose() {
      connections.open -= 1;
      changed();
    },
    onAuth({ username, password }, _session, callback) {
      const known = username === login?.username && password === login?.password;
      callback(known ? null : new Error('Authentication failed'), known ? { user: username } : undefined);
    },
    onMailFrom(_address, session, callback) {
      if (!delivered.has(session.id)) return callback();
      unlessFaulty('next-mail', session.id, callback);
    },
    onRcptTo(_address, session, callback) {
      unlessFaulty('recipient', session.id, callback);
    },
    onData(stream, session, callback) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        unlessFaulty('message', session.id, callback, () => {
          const raw = Buffer.concat(chunks);
          void simpleParser(raw).then((parsed) => {
            delivered.add(session.id);
            received.push({
              from: session.envelope.mailFrom ? session.envelope.mailFrom.address : '',
              to: session.envelope.rcptTo.map(({ address }) => address),
              encrypted: session.secure,
              username: typeof session.user === 'string' ? session.user : undefined,
              raw: raw.toString(),
              parsed,
            });
            changed();
            callback();
          }, callback);
        });
      });
    },
  });
  // A client that gives up in the middle is what the faults are about; the sessions' own errors are the client's to report.
  server.on('error', () => {});
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');

  function mailsTo(address: string): ReceivedMail[] {
    return received.filter(({ to }) => to.includes(address));
  }

  return {
    host: '127.0.0.1',
    port: (server.server.address() as AddressInfo).port,
    certificate,
    received,
    connections,
    fail(next) {
      fault = next;
    },
    lastCode(to) {
      const code = mailsTo(to)
        .at(-1)
        ?.parsed.text?.match(/^\d{6,10}$/m)?.[0];
      if (code === undefined) throw new Error(`No mail with a code has come for ${to}`);
      return code;
    },
    async waitFor(to, count = 1) {
      await until(() => mailsTo(to).length >= count);
      return mailsTo(to).at(-1)!;
    },
    async dropConnections() {
      hangUp(() => true);
      await until(() => connections.open === 0);
    },
    untilDisconnected: () => until(() => connections.open === 0),
    async close() {
      hangUp(() => true);
      await new Promise<void>((resolve) => server.close(resolve));
    },
  };
}

const refusal = Object.assign(new Error('Refused'), { responseCode: 550 });

async function tlsFor(
  tls: NonNullable<SmtpOptions['tls']>,
): Promise<{ options: SMTPServerOptions; certificate: string }> {
  if (tls === 'none') return { options: {}, certificate: '' };
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
        ],
      },
    ],
  });
  return { options: { secure: tls === 'from-start', key, cert }, certificate: cert };
}
