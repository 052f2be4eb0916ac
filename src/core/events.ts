import { EventEmitter } from 'node:events';
import type { OtpAuthErrorCode } from '../errors.js';
import type { Logger } from './ports.js';

/** What every event carries. */
export interface EventContext {
  /** When, in milliseconds since the epoch. */
  at: number;
  /** Masked: `j***@example.com`. Absent where the event is about an address of the network alone. */
  identifier?: string | undefined;
  userId?: string | undefined;
  sessionId?: string | undefined;
  ip?: string | undefined;
  userAgent?: string | undefined;
}

/** Events and what they carry beyond the context. */
export interface EventDetails {
  'otp.requested': { purpose: string };
  'otp.sent': { purpose: string };
  'otp.delivery_failed': { purpose: string };
  'otp.verified': { purpose: string };
  /** `reason` is for operators; the caller gets one answer for all. */
  'otp.rejected': { purpose: string; reason: string };
  /** A guard or an endpoint refused a token, a role, or a page of another site; `code` is that of the answer. */
  'access.refused': { code: OtpAuthErrorCode };
  'limit.hit': { limit: string; retryAfterSeconds: number };
  /** Too few of the codes sent to these numbers are typed in; nothing is sent there for a while. */
  'sms.paused': { country: string; prefix: string; forSeconds: number };
  'session.started': { amr: readonly string[] };
  'session.refreshed': object;
  'session.reuse_detected': object;
  'session.ended': { reason: string };
  'user.created': object;
  'user.updated': { changed: readonly string[] };
  'user.deleted': object;
  'totp.enabled': object;
  'totp.disabled': object;
  'totp.rejected': { reason: string };
  'recovery_code.used': { remaining: number };
}

export type EventName = keyof EventDetails;

/** One event as a listener gets it. */
export type OtpAuthEvent<Name extends EventName = EventName> = EventContext & EventDetails[Name];

/** `auth.events.on('session.reuse_detected', (event) => …)`. A listener that throws or rejects disturbs nobody: it is logged. */
export interface OtpAuthEvents {
  on<Name extends EventName>(name: Name, listener: (event: OtpAuthEvent<Name>) => unknown): this;
  once<Name extends EventName>(name: Name, listener: (event: OtpAuthEvent<Name>) => unknown): this;
  off<Name extends EventName>(name: Name, listener: (event: OtpAuthEvent<Name>) => unknown): this;
  removeAllListeners(name?: EventName): this;
  listenerCount(name: EventName): number;
}

/** How the domain emits. */
export type Emit = <Name extends EventName>(name: Name, event: OtpAuthEvent<Name>) => void;

export function createEvents(logger: Logger): { events: OtpAuthEvents; emit: Emit } {
  const emitter = new EventEmitter();
  const emit: Emit = (name, event) => {
    // One listener at a time, because `emitter.emit` stops at the first that throws.
    for (const listener of emitter.rawListeners(name)) {
      const call = async () => (await listener.call(emitter, event)) as unknown;
      call().catch(() => logger.error(`express-otp-auth: a listener for '${name}' failed`));
    }
  };
  return { events: emitter as unknown as OtpAuthEvents, emit };
}
