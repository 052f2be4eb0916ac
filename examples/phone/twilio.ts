import type { OutgoingSms } from 'express-otp-auth';

/** Where Twilio is and who asks. */
export interface TwilioSettings {
  accountSid: string;
  authToken: string;
  /** A number of yours in E.164 form, or the SID of a messaging service (`MG…`). */
  from: string;
  /** @default 'https://api.twilio.com' */
  baseUrl?: string;
}

/** Hands texts to Twilio's Programmable Messaging API. */
export function twilioSender({ accountSid, authToken, from, baseUrl = 'https://api.twilio.com' }: TwilioSettings) {
  const url = `${baseUrl}/2010-04-01/Accounts/${accountSid}/Messages.json`;
  const credentials = Buffer.from(`${accountSid}:${authToken}`).toString('base64');

  return async ({ to, text }: OutgoingSms): Promise<void> => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { Authorization: `Basic ${credentials}` },
      body: new URLSearchParams({ To: to, Body: text, [from.startsWith('MG') ? 'MessagingServiceSid' : 'From']: from }),
      signal: AbortSignal.timeout(10_000),
    });
    // Twilio queues the message and answers 201. Its errors quote the request, so only the status goes on.
    if (response.status !== 201) throw new Error(`Twilio answered ${response.status}`);
  };
}
