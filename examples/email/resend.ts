import type { OutgoingEmail } from 'express-otp-auth';
import { mailbox } from './mailbox.js';

/** Where Resend is and who asks. */
export interface ResendSettings {
  apiKey: string;
  /** @default 'https://api.resend.com' */
  baseUrl?: string;
}

/** Hands messages to Resend's API. */
export function resendSender({ apiKey, baseUrl = 'https://api.resend.com' }: ResendSettings) {
  return async ({ from, to, subject, text, html }: OutgoingEmail): Promise<void> => {
    const response = await fetch(`${baseUrl}/emails`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${apiKey}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ from: mailbox(from), to: [to], subject, text, html }),
      signal: AbortSignal.timeout(10_000),
    });
    // Errors may quote the request, so only the status goes on.
    if (!response.ok) throw new Error(`Resend answered ${response.status}`);
  };
}
