import type { ConnectionOptions } from 'node:tls';
import type { Channel, Logger, Message, Notice } from '../core/ports.js';
import type { OutgoingEmail, RenderedEmail, RenderInput } from '../options.js';
import { oneLine, renderCode, renderNotice } from './messages.js';

/** How e-mail goes out. Of `send`, `transport` and `smtp` the first that is set is used. */
export interface EmailSettings {
  /** The sender's address. */
  from: string;
  /** The sender's name, and the application's name in messages. */
  fromName: string;
  smtp: SmtpSettings;
  /** A Nodemailer transporter of the caller's. It is never closed. */
  transport?: EmailTransport | undefined;
  /** Hands a message to a provider of the caller's; rejects where the provider refuses. */
  send?: ((mail: OutgoingEmail) => unknown) | undefined;
  /** Writes the message in place of the package. */
  render?: ((input: RenderInput) => RenderedEmail | Promise<RenderedEmail>) | undefined;
}

/** An SMTP server, and how to talk to it. */
export interface SmtpSettings {
  host: string;
  port: number;
  /**
   * `true`: TLS from the start. `'required'`: STARTTLS, or sending fails. `false`: STARTTLS where it is offered.
   *
   * Certificates are verified in all three, with one exception: `false` and a server on this machine itself
   * (`localhost`, 127.0.0.0/8, ::1). A relay's certificate names the machine, or nobody (the distributions'
   * "snake oil" one), but never 127.0.0.1; the connection leaves the machine for nobody to listen to; and whoever
   * could answer in the relay's place could as well not offer STARTTLS. `tls: { rejectUnauthorized: true }` verifies there too.
   */
  secure: boolean | 'required';
  /** None: no SMTP login. */
  username?: string | undefined;
  password?: string | undefined;
  /** Connections at most. */
  pool: number;
  /** How long handing a message over may take, in milliseconds: waiting for a connection, connecting, everything. */
  timeoutMs: number;
  /** Options for the TLS connection, as for Node's `tls.connect`: a certificate authority, say. */
  tls?: object | undefined;
}

/** What the channel needs of a Nodemailer transporter, of any version. */
export interface EmailTransport {
  sendMail(mail: TransportedEmail): Promise<unknown>;
}

/** What a transporter gets. */
export interface TransportedEmail {
  from: Mailbox;
  to: Mailbox;
  subject: string;
  text: string;
  html: string;
  headers: Record<string, string>;
  disableFileAccess: true;
  disableUrlAccess: true;
  /** Aborts when the time is up; Nodemailer 10.5 and later then drops the message, others ignore it. */
  signal: AbortSignal;
}

/** What the channel needs besides its settings. */
export interface EmailDeps {
  logger: Logger;
}

/**
 * The channel that sends codes by e-mail. Nodemailer is loaded with the first message.
 *
 * `send` rejects where the message was not taken within `smtp.timeoutMs`, whichever way it goes, with an error that
 * holds neither the code nor an address. `close` waits for the messages on their way, then closes the connections
 * that the channel opened.
 *
 * @throws TypeError if `from` is not one plain address
 */
export function emailChannel(settings: EmailSettings, { logger }: EmailDeps): Channel {
  const appName = oneLine(settings.fromName);
  const from = { name: appName, address: plainAddress(settings.from) };
  const route = chooseRoute(settings, logger);
  const underway = new Set<Promise<void>>();
  let closed = false;

  async function deliver(message: Message | Notice): Promise<void> {
    const [purpose, code] = 'code' in message ? [message.purpose, message.code] : [message.kind, undefined];
    try {
      await beforeDeadline(settings.smtp.timeoutMs, async (signal) => {
        const to = plainAddress(message.to);
        const content = await writeMessage(message, appName, settings.render);
        await route.handOver({ from, to, ...content, locale: message.locale, purpose }, signal);
      });
    } catch (error) {
      throw withoutSecrets(error, code);
    }
  }

  async function accept(message: Message | Notice): Promise<void> {
    if (closed) throw failure('The e-mail channel is closed', 'ECONNECTION');
    const delivery = deliver(message);
    underway.add(delivery);
    try {
      await delivery;
    } finally {
      underway.delete(delivery);
    }
  }

  return {
    send: accept,
    notify: accept,
    async close() {
      closed = true;
      await Promise.allSettled(underway);
      await route.close();
    },
  };
}

interface Mailbox {
  name: string;
  address: string;
}

/** One of the ways out. Rejects where the message was not taken. */
interface Route {
  handOver(mail: OutgoingEmail, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

function chooseRoute({ send, transport, smtp }: EmailSettings, logger: Logger): Route {
  if (send) return functionRoute(send);
  if (transport) return transportRoute(() => transport);
  warnOfReadablePassword(smtp, logger);
  return smtpRoute(smtp);
}

function functionRoute(send: NonNullable<EmailSettings['send']>): Route {
  return {
    async handOver(mail) {
      await send(mail);
    },
    async close() {},
  };
}

function transportRoute(transport: () => EmailTransport | Promise<EmailTransport>): Route {
  return {
    async handOver(mail, signal) {
      const transporter = await transport();
      const answer = await transporter.sendMail({
        // Objects, never strings: Nodemailer reads a string as a list and would deliver to all of it.
        from: { ...mail.from },
        to: { name: '', address: mail.to },
        subject: mail.subject,
        text: mail.text,
        html: mail.html,
        headers: { ...AUTOMATIC },
        disableFileAccess: true,
        disableUrlAccess: true,
        signal,
      });
      // LMTP and some providers refuse a recipient without failing the call.
      if (hasRefusals(answer)) throw failure('The mail server refused the recipient', 'EENVELOPE');
    },
    async close() {},
  };
}

/**
 * Tells out-of-office replies and filters that nobody is here to answer: RFC 3834 §5, and what Exchange reads in its
 * place ([MS-OXCMAIL] §2.1.3.2.20). Not `All`: that would suppress the reports on undeliverable messages as well.
 *
 * Not Nodemailer's `otp` option (the `OTP-Token` field of draft-goto-otp-token): it binds the code to a web origin,
 * which an application's e-mail settings don't know and which must not be guessed from a request; the field's form
 * is not settled; and mail servers log header fields more readily than bodies. `transport` can add it.
 */
const AUTOMATIC = { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'OOF, AutoReply' };

/** Our own pool of connections, opened with the first message. */
function smtpRoute(smtp: SmtpSettings): Route {
  let pool: ReturnType<typeof openPool> | undefined;
  return {
    ...transportRoute(() => (pool ??= openPool(smtp))),
    async close() {
      (await pool)?.close();
    },
  };
}

/** Below the time after which servers drop an idle client (RFC 5321 §4.5.3.2 asks for five minutes, many give one). */
const idleConnectionMs = 30_000;
const messagesPerConnection = 100;
/** Of a message whose connection closes: kept ones may have gone stale. A server that closes each is told of within half a second. */
const mostRetries = 3;
/** For a server that does not close its side when we have closed ours. */
const farewellMs = 1_000;

const STARTS_WITH = {
  true: { secure: true },
  false: { secure: false },
  required: { secure: false, requireTLS: true },
} as const;

async function openPool(smtp: SmtpSettings) {
  const { createTransport } = await import('nodemailer');
  return createTransport({
    pool: true,
    host: smtp.host,
    port: smtp.port,
    ...STARTS_WITH[`${smtp.secure}`],
    ...(smtp.username === undefined ? {} : { auth: { user: smtp.username, pass: smtp.password ?? '' } }),
    tls: tlsOptions(smtp),
    maxConnections: smtp.pool,
    maxRequeues: mostRetries,
    maxMessages: messagesPerConnection,
    idleTimeout: idleConnectionMs,
    // The deadline of a message ends a connection that hangs with it. These end one that hangs before or after.
    connectionTimeout: smtp.timeoutMs,
    socketTimeout: idleConnectionMs + smtp.timeoutMs,
    socketCloseTimeout: farewellMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
}

/** @see SmtpSettings.secure */
function tlsOptions({ secure, host, tls }: SmtpSettings): ConnectionOptions {
  return { ...(secure === false && isLoopback(host) ? { rejectUnauthorized: false } : {}), ...tls };
}

function isLoopback(host: string): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/i.test(host);
}

function warnOfReadablePassword({ secure, host, username }: SmtpSettings, logger: Logger): void {
  if (username === undefined || secure !== false || isLoopback(host)) return;
  logger.warn(
    `The SMTP password goes to ${host} unencrypted if that server, or anyone on the way to it, does not offer STARTTLS: ` +
      `set email.smtp.secure to 'required', or to true for TLS from the start.`,
  );
}

async function writeMessage(
  message: Message | Notice,
  appName: string,
  render: RenderFunction,
): Promise<RenderedEmail> {
  if (!('code' in message)) return renderNotice({ kind: message.kind, locale: message.locale, appName });
  const { code, expiresInMinutes, locale, purpose, link } = message;
  const { subject, text, html } = await (render ?? renderCode)({
    code,
    expiresInMinutes,
    appName,
    locale,
    purpose,
    ...(link === undefined ? {} : { link }),
  });
  // Nodemailer takes objects here too, and reads the file or the address that they name.
  if (typeof subject !== 'string' || typeof text !== 'string' || typeof html !== 'string') {
    throw new TypeError('email.render must return subject, text and html, each a string');
  }
  return { subject: oneLine(subject), text, html };
}

type RenderFunction = EmailSettings['render'];

/** The identifier was parsed long before, but here is where a list, a name or a line break would do its harm. */
function plainAddress(address: string): string {
  if (!/^[\w.!#$%&'*+/=?^`{|}~-]+@[\w.-]+$/.test(address)) throw new TypeError('Not one plain e-mail address');
  return address;
}

/** Runs `work` for so many milliseconds at most. What goes on after that is aborted, and nobody waits for it. */
function beforeDeadline(timeoutMs: number, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const aborter = new AbortController();
    const timer = setTimeout(() => {
      reject(failure(`The message was not taken within ${timeoutMs} ms`, 'ETIMEDOUT'));
      aborter.abort();
    }, timeoutMs);
    void work(aborter.signal)
      .then(resolve, reject)
      .finally(() => clearTimeout(timer));
  });
}

function hasRefusals(answer: unknown): boolean {
  const rejected = property(answer, 'rejected');
  return Array.isArray(rejected) && rejected.length > 0;
}

const longestReason = 500;
/** Anything that resembles one, also among the punctuation of JSON. */
const ADDRESSES = /[^\s<>()[\]\\,;:"@]+(?:@[^\s<>()[\]\\,;:"@]+)+/g;

/**
 * The error as it may be logged. Servers and providers repeat addresses in their answers, and errors carry what was
 * sent; neither the error itself nor its `cause` goes on from here.
 */
function withoutSecrets(error: unknown, code: string | undefined): Error {
  const said = oneLine(String(property(error, 'message') ?? error));
  const reason = (code === undefined ? said : said.replaceAll(code, '[code]'))
    .slice(0, longestReason)
    .replace(ADDRESSES, '[address]');
  return failure(reason, property(error, 'code'), property(error, 'responseCode'));
}

/** `code`: Nodemailer's or Node's name of the failure. `responseCode`: the SMTP server's, such as 550. */
function failure(reason: string, code?: unknown, responseCode?: unknown): Error {
  return Object.assign(
    new Error(reason),
    typeof code === 'string' && { code },
    typeof responseCode === 'number' && { responseCode },
  );
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
