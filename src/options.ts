import type { Clock, CodePurpose, Logger, Store } from './core/ports.js';
import type { User } from './core/users.js';
import type { UserStore } from './core/users/user-store.js';
import type { JwtAlgorithm } from './core/tokens.js';
import type { RedisClient } from './stores/redis/redis-client.js';

/** What `email.send` gets: one message to one address. */
export interface OutgoingEmail {
  to: string;
  from: { name: string; address: string };
  subject: string;
  text: string;
  html: string;
  locale: string;
  /** What a code is for (`sign-in`, `change-identifier`), or what a notice tells of (`totp_enabled`, …). */
  purpose: string;
}

/** What `sms.send` gets: one text to one number in E.164 form. */
export interface OutgoingSms {
  to: string;
  text: string;
  /** Empty where the text is a notice that something about the account was changed. */
  code: string;
  locale: string;
}

/** What `email.render` and `sms.render` get. */
export interface RenderInput {
  code: string;
  expiresInMinutes: number;
  appName: string;
  locale: string;
  purpose: CodePurpose;
  /** With `email.link`: opens a page with a button that signs in, in the browser that asked for the code. */
  link?: string | undefined;
}

/** Texts of the pages, by name; `{app}`, `{address}`, `{digits}` and `{when}` stand for what they say. */
export const PAGE_TEXT_NAMES = [
  'name',
  'languages',
  'signInTitle',
  'signInHint',
  'emailLabel',
  'eitherLabel',
  'sendCode',
  'codeTitle',
  'codeSent',
  'codeSentAgain',
  'codeLabel',
  'signIn',
  'resend',
  'resendWait',
  'otherAddress',
  'totpTitle',
  'totpHint',
  'totpLabel',
  'recoveryToggle',
  'recoveryLabel',
  'doneTitle',
  'proceed',
  'linkHint',
  'linkElsewhereTitle',
  'linkElsewhereHint',
  'linkExpiredTitle',
  'linkExpiredHint',
  'startAgain',
  'signOutTitle',
  'signOut',
  'enrolTitle',
  'enrolHint',
  'scanHint',
  'qrCode',
  'openApp',
  'secretHint',
  'confirm',
  'recoveryCodesTitle',
  'recoveryCodesHint',
  'emailError',
  'eitherError',
  'codeError',
  'otpError',
  'totpError',
  'recoveryError',
  'limitError',
  'deliveryError',
  'unavailableError',
  'expiredError',
  'errorPrefix',
] as const;

/** A language of the pages, or some of its texts: what is left out is the package's own text, in English where it has none. */
export type PageTexts = { [name in (typeof PAGE_TEXT_NAMES)[number]]?: string | undefined } & {
  direction?: 'ltr' | 'rtl' | undefined;
};

/** What `email.render` returns. */
export interface RenderedEmail {
  subject: string;
  text: string;
  html: string;
}

/**
 * The options of `otpAuth`. An option wins over its environment variable, which wins over the default.
 * Everything is validated when the factory is called.
 */
export interface OtpAuthOptions {
  /** Where codes, sessions and revocations are kept: a URL, an ioredis `Redis` or `Cluster` of yours, or `'memory:'`. @default 'redis://localhost:6379/0' */
  redis?: string | RedisClient;
  /** Options for the ioredis client that the package opens for a URL. */
  redisOptions?: Record<string, unknown>;
  /** A store of your own in place of Redis: see `describeStore` in `/testing`. */
  store?: Store;
  /**
   * `'check'` asks Redis on every request whether the token is revoked. `'push'`: each process is told of revocations
   * as they happen and answers from memory; it opens one more connection, and asks Redis where it cannot be sure.
   * The same for all processes that share a Redis. In one process alone (`'memory:'`) there is no difference. @default 'check'
   */
  revocation?: 'check' | 'push';
  /**
   * With `revocation: 'push'`: how long a revocation waits for each process to take it in, in milliseconds, and half of
   * `storeTimeoutMs` at most. A process that does not answer by then accepts no revoked token for longer than a second. @default 250
   */
  revocationWaitMs?: number;
  /** What the store may take for one operation, in milliseconds; then the answer is 503. @default 1000 */
  storeTimeoutMs?: number;
  /** Lets `redis: 'memory:'` and `users.store: 'memory'` run with `NODE_ENV=production`: one process, and everything is lost when it ends. @default false */
  allowMemoryInProduction?: boolean;

  email?: {
    smtp?: {
      /** @default '127.0.0.1' */
      host?: string;
      /** @default 1025 */
      port?: number;
      /** None: no SMTP login. */
      username?: string;
      password?: string;
      /** `true`: TLS from the start. `false`: STARTTLS where it is offered. `'required'`: STARTTLS, or sending fails. @default false; true on port 465 */
      secure?: boolean | 'required';
      /** Connections kept to the server at most. @default 20 */
      pool?: number;
      /**
       * How long writing a message and handing it over may take, by `send` and `transport` as well, connecting and all,
       * in milliseconds. An answer waits for 800 ms more than `storeTimeoutMs` at most: see `delivery`. @default 10000
       */
      timeoutMs?: number;
      /** Options for the TLS connection, as for Node's `tls.connect`: a certificate authority of your own, say. */
      tls?: object;
    };
    /** The sender's address. @default the SMTP username if that is an address, else 'no-reply@localhost' */
    from?: string;
    /** The sender's name, and the application's name in messages. @default 'Express App' */
    fromName?: string;
    /** A Nodemailer transporter of yours, in place of `smtp`. */
    transport?: { sendMail(mail: never): Promise<unknown> };
    /** Hands a message to a provider of yours, in place of `smtp`; rejects where the provider refuses. */
    send?: (mail: OutgoingEmail) => unknown;
    /** Writes the message in place of the package. */
    render?: (input: RenderInput) => RenderedEmail | Promise<RenderedEmail>;
    /**
     * Messages hold a link besides the code. It opens a page with one button, which signs in where the code was asked for,
     * and nowhere else; opening it does nothing by itself. Needs `pages` and `publicUrl`. @default false
     */
    link?: boolean;
  };
  /** Codes by SMS. Needs the package libphonenumber-js. */
  sms?: {
    /** Hands a text to a provider of yours; rejects where the provider refuses. */
    send: (sms: OutgoingSms) => unknown;
    /** ISO 3166-1 codes of the countries that messages may go to: fraudsters earn from messages to others. */
    allowedCountries: readonly string[];
    /** For numbers without a country code. */
    defaultCountry?: string;
    /** Where codes are typed in, such as `https://app.example.com`: browsers then offer the code on its pages alone. */
    origin?: string;
    /** Writes the text in place of the package; the line that binds the code to `origin` is added all the same. */
    render?: (input: RenderInput) => string | Promise<string>;
    /** Where a smaller share of the codes sent to a country and number range in an hour (50 at least) is typed in, sending there stops for half an hour. 0 to 1; 0 is off. @default 0.1 */
    minConversion?: number;
    /** How long `send` may take, in milliseconds. @default 10000 */
    timeoutMs?: number;
  };
  /**
   * `'await'` answers when the message was handed over, or 800 ms after `storeTimeoutMs` where that takes longer;
   * `'background'` at once. @default 'await'
   */
  delivery?: 'await' | 'background';

  otp?: {
    /** Digits, 6 to 10. @default 6 */
    length?: number;
    /** 30 to 600 (NIST SP 800-63B-4 §3.1.3.2: ten minutes at most). @default 300 */
    expirySeconds?: number;
    /** Wrong guesses that a code survives, 1 to 10. @default 5 */
    maxAttempts?: number;
    /** 0 to 86400. @default 30 */
    resendCooldownSeconds?: number;
    /** How many of the newest codes still work, 1 to 3. @default 1 */
    liveCodes?: number;
    /** @default 'otp_' */
    keyPrefix?: string;
  };

  jwt?: {
    /** 32 bytes at least each. The first signs, all verify. */
    secret?: string | readonly string[];
    /** @default 'HS256' */
    algorithm?: JwtAlgorithm;
    /** PEM, for the asymmetric algorithms. */
    privateKey?: string;
    /** PEM: further keys that verify, besides the private key's own. */
    publicKeys?: string | readonly string[];
    /** Set in access tokens and demanded of them. */
    issuer?: string;
    /** Set in access tokens and demanded of them. */
    audience?: string;
    /** @default 60 */
    accessTokenMinutes?: number;
    /** Idle life of a session: each refresh starts it anew. @default 7 */
    refreshTokenDays?: number;
    /** Absolute life of a session, since sign-in. @default 30 */
    sessionMaxDays?: number;
    /** How long the refresh token just replaced gets the same successor again, 0 to 60. @default 10 */
    refreshGraceSeconds?: number;
    /** @default 'blacklist_' */
    blacklistKeyPrefix?: string;
    /**
     * How many verified access tokens a process remembers, so that their signatures are not computed again. Expiry and
     * revocation are judged on every request all the same. 0 remembers none. @default 10000
     */
    verifiedTokenCache?: number;
  };

  /** @default 'session_' */
  sessionKeyPrefix?: string;
  /** @default 'limit_' */
  limitKeyPrefix?: string;
  /** @default 'user_' */
  userKeyPrefix?: string;
  /** What counts as a recent sign-in, in seconds. @default 600 */
  recentSeconds?: number;
  /** Live sessions of one user; above it the oldest ends. @default 50 */
  maxSessionsPerUser?: number;

  cookie?: {
    /** @default 'refresh_token' */
    name?: string;
    /** `'auto'`: Secure exactly when the request came over HTTPS. @default true with NODE_ENV=production, else 'auto' */
    secure?: boolean | 'auto';
    /** @default 'lax' */
    sameSite?: 'strict' | 'lax' | 'none';
    domain?: string;
    /** @default '/' */
    path?: string;
    /** Name of the cookie by which a browser is known that signed in before; its attributes are those of the refresh cookie. @default 'device_token' */
    deviceName?: string;
    /**
     * For applications that render pages on the server: keeps the access token in a cookie too, which `requireUser` then
     * accepts, renews when it has expired, and, with `pages`, sends browsers to sign in where there is none. @default false
     */
    accessToken?: boolean;
    /** Its name; its path is always `/`. @default 'access_token' */
    accessTokenName?: string;
  };
  /** The sign-in page, at `/sign-in` below the router. @default false */
  pages?:
    | boolean
    | {
        /** @default `email.fromName` */
        appName?: string;
        /** A path of the application, an `https:` URL or a `data:` URL. */
        logoUrl?: string;
        /** A style sheet that comes after the page's own: a path of the application, or an `https:` URL. */
        css?: string;
        /** The path that users go to who were on no other way. @default '/' */
        returnTo?: string;
        /** More languages, or other words for the package's own (en, de, fr, es, fa, sl), by their tags (BCP 47). */
        locales?: Record<string, PageTexts>;
      };
  /**
   * Where browsers find the router, such as `https://app.example.com/auth`: the beginning of links in messages, and, by its
   * path, the way to the sign-in page. Never taken from a request, whose `Host` its sender chooses. @default none; the path is '/auth'
   */
  publicUrl?: string;
  /** Other origins whose pages may use the cookie endpoints. */
  allowedOrigins?: readonly string[];

  limits?: {
    /** Codes sent to one identifier in any hour. @default 10 */
    sendsPerHour?: number;
    /** Codes sent to one identifier in any 24 hours. @default 20 */
    sendsPerDay?: number;
    /** Wrong guesses for one identifier in any 24 hours, over all codes (NIST SP 800-63B-4 §3.2.2). @default 25 */
    failuresPerDay?: number;
    /** Wrong authenticator and recovery codes of one user in any 24 hours, together. @default 20 */
    secondFactorFailuresPerDay?: number;
    /** Messages by SMS in any hour, to everybody together. @default 1000 */
    smsPerHour?: number;
    /** Requests for codes from one address of the network (`req.ip`; IPv6: one /64) in a minute. @default 20 */
    requestsPerIpPerMinute?: number;
    /** Codes handed in from one address of the network in a minute. @default 60 */
    verifiesPerIpPerMinute?: number;
    /** The configuration is refused where it gives a stranger better odds than this to guess a code of one identifier within a year: see `auth.budget()`. @default 0.05 */
    maxOddsPerYear?: number;
  };

  /** `'closed'`: only users of `users.store` get a code, and nothing tells who is one. @default 'open' */
  signUp?: 'open' | 'closed';
  users?: {
    /**
     * Where users are kept: in the Redis of the option `redis`, in this process, or wherever six functions of yours keep
     * them (`express-otp-auth/kysely` has them for SQL). None: there are no accounts, and whoever holds an identifier is
     * its user.
     */
    store?: 'redis' | 'memory' | UserStore;
    /** An e-mail address, or a phone number as +4915112345678, that is made an admin at every start. */
    firstAdmin?: string;
  };
  /**
   * A second factor by authenticator apps (RFC 6238), for users of `users.store`. `'required'`: whoever has none can do
   * nothing before enrolling one. Needs the packages otplib and qrcode. `issuer`: the name that apps show, by default
   * `email.fromName`.
   */
  totp?: 'optional' | 'required' | { issuer?: string; required?: boolean };

  /** Every code is as many zeros as a code has digits, and nothing is sent: for development alone. @default false */
  magicOtp?: boolean;
  /** Fixed codes for app-store reviewers: limited, logged, and refused once expired. `expiresAt`: a date, its ISO text, or milliseconds since the epoch. */
  reviewCodes?: readonly { identifier: string; code: string; expiresAt: string | number | Date }[];

  /** Serves the API document as a page at `/docs`. Needs the package swagger-ui-dist. @default false */
  docs?: boolean;

  /**
   * Claims added to access tokens; they never replace the package's own. Asked for at each sign-in, after the code was
   * used up, and at each refresh; where it throws, the application's error handler gets the error.
   */
  claims?: (user: User) => Record<string, unknown> | Promise<Record<string, unknown>>;
  /** @default the console, for warnings and errors */
  logger?: Logger;
  /** @default the system's */
  clock?: Clock;
}
