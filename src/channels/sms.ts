import type { Channel } from '../core/ports.js';
import type { OutgoingSms, RenderInput } from '../options.js';
import { oneLine, renderNotice, renderSmsCode } from './messages.js';

export interface SmsSettings {
  /** The caller's function that hands a text over. */
  send: (sms: OutgoingSms) => unknown;
  /** Where codes are typed in: the last line binds them to its host. */
  origin?: string | undefined;
  /** Writes the text in place of the package; the last line is added all the same. */
  render?: ((input: RenderInput) => string | Promise<string>) | undefined;
  appName: string;
  /** What writing a text and handing it over may take, in milliseconds. */
  timeoutMs: number;
}

/** The channel that sends codes by SMS, through the caller's function. */
export function smsChannel({ send, origin, render, appName, timeoutMs }: SmsSettings): Channel {
  const host = origin === undefined ? undefined : new URL(origin).host;
  return {
    async send({ to, code, expiresInMinutes, locale, purpose }) {
      const input = { code, expiresInMinutes, appName, locale, purpose };
      await within(timeoutMs, async () => {
        const own = await render?.(input);
        const text = own === undefined ? renderSmsCode(input, host) : withLastLine(own, host, code);
        await send({ to, text, code, locale });
      });
    },
    async notify({ to, kind, locale }) {
      const { text } = renderNotice({ kind, appName, locale });
      await within(timeoutMs, async () => send({ to, text: oneLine(text), code: '', locale }));
    },
    close: async () => {},
  };
}

function withLastLine(text: string, host: string | undefined, code: string): string {
  return host === undefined ? text : `${text}\n\n@${host} #${code}`;
}

async function within(timeoutMs: number, handOver: () => Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('the message was not taken in time')), timeoutMs);
  });
  try {
    await Promise.race([handOver(), late]);
  } finally {
    clearTimeout(timer);
  }
}
