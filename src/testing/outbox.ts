import { renderCode } from '../channels/messages.js';
import type { OtpAuthOptions, OutgoingEmail, OutgoingSms, RenderInput } from '../options.js';

/** A message that was handed over, to nobody but the test. */
export interface TestMessage {
  channel: 'email' | 'sms';
  to: string;
  text: string;
  locale: string;
  /** The code in it; a notice has none. */
  code?: string | undefined;
  /** The link beside the code, where the option `email.link` is on. */
  link?: string | undefined;
  /** Of an e-mail. */
  subject?: string | undefined;
  html?: string | undefined;
  purpose?: string | undefined;
}

/** What has been sent. */
export interface Outbox {
  /** Oldest first. */
  readonly messages: readonly TestMessage[];
  /** The last message to this address or number, written in whatever way; `undefined` where there is none. */
  last(to: string): TestMessage | undefined;
  /** The code in the last message to it that has one. */
  lastCode(to: string): string | undefined;
  clear(): void;
}

type EmailOptions = NonNullable<OtpAuthOptions['email']>;

/** The options that fill the outbox. A `send` of the caller's is called as well, and where it fails nothing was sent. */
export interface OutboxOptions {
  outbox: Outbox;
  email: Required<Pick<EmailOptions, 'send' | 'render'>>;
  sms: { send: (sms: OutgoingSms) => Promise<void> };
}

/**
 * Makes an empty outbox, which calls `onMessage` in the asynchronous context that the message was sent in.
 *
 * @param canonical - Gives an address or a number the form that the channels get it in.
 */
export function openOutbox(
  given: {
    email?: Pick<EmailOptions, 'send' | 'render'> | undefined;
    sms?: { send?: ((sms: OutgoingSms) => unknown) | undefined } | undefined;
  },
  canonical: (to: string) => string,
  onMessage: (message: TestMessage) => void,
): OutboxOptions {
  const messages: TestMessage[] = [];
  const messagesTo = (to: string) => messages.filter((message) => message.to === canonical(to));
  // An e-mail's text may present its code in any way, so what goes into it is noted before.
  const inputs = new Map<string, Pick<RenderInput, 'code' | 'link'>>();

  const add = (message: TestMessage) => {
    messages.push(message);
    onMessage(message);
  };

  return {
    outbox: {
      messages,
      last: (to) => messagesTo(to).at(-1),
      lastCode: (to) => messagesTo(to).findLast(({ code }) => code !== undefined)?.code,
      clear() {
        messages.length = 0;
        inputs.clear();
      },
    },
    email: {
      async render(input) {
        const rendered = await (given.email?.render ?? renderCode)(input);
        inputs.set(contentOf(rendered), input);
        return rendered;
      },
      async send(mail) {
        await given.email?.send?.(mail);
        const { to, subject, text, html, locale, purpose } = mail;
        const { code, link } = inputs.get(contentOf(mail)) ?? {};
        add({ channel: 'email', to, text, locale, code, link, subject, html, purpose });
      },
    },
    sms: {
      async send(sms) {
        await given.sms?.send?.(sms);
        add({ channel: 'sms', ...sms });
      },
    },
  };
}

const contentOf = ({ text, html }: Pick<OutgoingEmail, 'text' | 'html'>) => JSON.stringify([text, html]);
