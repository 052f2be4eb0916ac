import { OtpAuthError } from '../errors.js';
import type { Emit, EventContext } from './events.js';
import type { Identifier } from './identifier.js';
import type { PhoneNumbers } from './phone-number.js';
import type { Clock, SmsRules, Store } from './ports.js';
import { randomId } from './random-id.js';

/**
 * Stands between a code and a paid message. Fraudsters have codes sent to numbers that they earn from, and never type
 * one in: a whole-system limit bounds the bill, and where too few codes are typed in, sending stops for a while.
 */
export interface SmsGuard {
  /**
   * Counts a message that is about to be sent.
   *
   * @throws OtpAuthError `rate_limited`
   */
  admit(message: SmsInQuestion, context: EventContext): Promise<void>;
  /** Takes back the counting of a message that could not be sent. */
  withdraw(message: SmsInQuestion): Promise<void>;
  /** Counts a code that was typed in. */
  confirm(identifier: Identifier): Promise<void>;
}

export interface SmsInQuestion {
  identifier: Identifier;
  /** Random name of the message. */
  messageId: string;
  nowMs: number;
}

const HOUR_MS = 3_600_000;

/** What the conversion is judged by, besides the least share that the application sets. */
const CONVERSION = { windowMs: HOUR_MS, leastSends: 50, pauseMs: HOUR_MS / 2 };

export function createSmsGuard(deps: {
  store: Store;
  phoneNumbers: PhoneNumbers;
  clock: Clock;
  emit: Emit;
  settings: { smsPerHour: number; minConversion: number };
}): SmsGuard {
  const { store, phoneNumbers, clock, emit, settings } = deps;
  const rules: SmsRules = { smsPerHour: settings.smsPerHour, leastShare: settings.minConversion, ...CONVERSION };

  const groupOf = (value: string) => {
    const { country, prefix } = phoneNumbers.groupOf(value);
    return { country, prefix, name: `${country}:${prefix}` };
  };

  return {
    async admit({ identifier, messageId, nowMs }, context) {
      const { country, prefix, name } = groupOf(identifier.value);
      const counted = await store.countSms({ messageId, group: name, nowMs, rules });
      if (counted.outcome === 'counted') return;
      const retryAfterSeconds = Math.ceil(counted.retryAfterMs / 1000);
      if (counted.outcome === 'paused_now')
        emit('sms.paused', { at: nowMs, country, prefix, forSeconds: retryAfterSeconds });
      const limit = counted.outcome === 'limited' ? 'sms_per_hour' : 'sms_conversion';
      emit('limit.hit', { ...context, limit, retryAfterSeconds });
      throw new OtpAuthError('rate_limited', 'No message can be sent to this number right now. Try again later.', {
        retryAfterSeconds,
      });
    },

    async withdraw({ identifier, messageId, nowMs }) {
      await store.withdrawSms({ messageId, group: groupOf(identifier.value).name, countedAtMs: nowMs });
    },

    async confirm({ value }) {
      const message = { messageId: randomId(), group: groupOf(value).name };
      await store.confirmSms({ ...message, nowMs: clock.now(), windowMs: CONVERSION.windowMs });
    },
  };
}
