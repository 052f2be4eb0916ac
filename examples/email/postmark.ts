import type { OutgoingEmail } from 'express-otp-auth';
import { mailbox } from './mailbox.js';

/** Where Postmark is and who asks. */
export interface PostmarkSettings {
  serverToken: string;
  /** A transactional stream. @default 'outbound' */
  messageStream?: string;
  /** @default 'https://api.postmarkapp.com' */
  baseUrl?: string;
}

/** Hands messages to Postmark's API. */
export function postmarkSender({
  serverToken,
  messageStream = 'outbound',
  baseUrl = 'https://api.postmarkapp.com',
}: PostmarkSettings) {
  return async ({ from, to, subject, text, html }: OutgoingEmail): Promise<void> => {
    const response = await fetch(`${baseUrl}/email`, {
      method: 'POST',
      headers: {
        Accept: 'application/json',
        'Content-Type': 'application/json',
        'X-Postmark-Server-Token': serverToken,
      },
      body: JSON.stringify({
        From: mailbox(from),
        To: to,
        Subject: subject,
        TextBody: text,
        HtmlBody: html,
        MessageStream: messageStream,
      }),
      signal: AbortSignal.timeout(10_000),
    });
    // Errors quote the request, so only the status and Postmark's own code go on: 406 is an address that bounced before.
    if (response.ok) return;
    const { ErrorCode } = (await response.json().catch(() => ({}))) as { ErrorCode?: number };
    throw new Error(`Postmark answered ${response.status}${ErrorCode === undefined ? '' : `, error ${ErrorCode}`}`);
  };
}
