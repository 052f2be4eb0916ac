import type { CountSms, SmsOutcome, Store } from '../../core/ports.js';

const HOUR_MS = 3_600_000;

interface Group {
  /** Message id → when it was sent. */
  sent: Map<string, number>;
  /** Message id → when its code was typed in. */
  confirmed: Map<string, number>;
  pausedUntilMs: number;
}

/** Paid messages of one process, and how many of their codes are typed in. */
export interface SmsCounts {
  count(request: CountSms): SmsOutcome;
  withdraw(request: Parameters<Store['withdrawSms']>[0]): void;
  confirm(request: Parameters<Store['confirmSms']>[0]): void;
}

/** Starts at nothing sent. There are as many groups as countries have number ranges, so none is ever dropped. */
export function smsCounts(): SmsCounts {
  /** When messages were sent, latest first. */
  let sentMs: number[] = [];
  const groups = new Map<string, Group>();

  function groupOf(name: string): Group {
    const group = groups.get(name) ?? { sent: new Map(), confirmed: new Map(), pausedUntilMs: 0 };
    groups.set(name, group);
    return group;
  }

  return {
    count({ messageId, group: name, nowMs, rules }) {
      const group = groupOf(name);
      if (group.pausedUntilMs > nowMs)
        return { outcome: 'paused', retryAfterMs: Math.min(group.pausedUntilMs - nowMs, rules.pauseMs) };

      const sent = countWithin(group.sent, nowMs - rules.windowMs);
      if (sent >= rules.leastSends && countWithin(group.confirmed, nowMs - rules.windowMs) < sent * rules.leastShare) {
        // What led to the pause is not held against the group when it ends.
        groups.set(name, { sent: new Map(), confirmed: new Map(), pausedUntilMs: nowMs + rules.pauseMs });
        return { outcome: 'paused_now', retryAfterMs: rules.pauseMs };
      }

      // When a clock was set back, times in the future become this moment's: nobody waits longer than the window.
      sentMs = sentMs.map((time) => Math.min(time, nowMs)).filter((time) => nowMs - time < HOUR_MS);
      const oldest = sentMs[rules.smsPerHour - 1];
      if (oldest !== undefined) return { outcome: 'limited', retryAfterMs: oldest + HOUR_MS - nowMs };
      sentMs.unshift(nowMs);
      group.sent.set(messageId, nowMs);
      return { outcome: 'counted' };
    },

    withdraw({ messageId, group, countedAtMs }) {
      if (!groupOf(group).sent.delete(messageId)) return;
      const position = sentMs.indexOf(countedAtMs);
      if (position >= 0) sentMs.splice(position, 1);
    },

    confirm({ messageId, group, nowMs, windowMs }) {
      const { confirmed } = groupOf(group);
      countWithin(confirmed, nowMs - windowMs);
      confirmed.set(messageId, nowMs);
    },
  };
}

/** How many times are later than this one; the others are dropped. */
function countWithin(times: Map<string, number>, afterMs: number): number {
  for (const [id, time] of times) if (time <= afterMs) times.delete(id);
  return times.size;
}
