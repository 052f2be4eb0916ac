import type { OutgoingSms } from 'express-otp-auth';

/** Where Vonage is and who asks. */
export interface VonageSettings {
  apiKey: string;
  apiSecret: string;
  /** A number of yours without '+', or a sender's name of up to 11 letters and digits. */
  from: string;
  /** @default 'https://rest.nexmo.com' */
  baseUrl?: string;
}

/** Hands texts to Vonage's SMS API. */
export function vonageSender({ apiKey, apiSecret, from, baseUrl = 'https://rest.nexmo.com' }: VonageSettings) {
  return async ({ to, text }: OutgoingSms): Promise<void> => {
    const response = await fetch(`${baseUrl}/sms/json`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({
        api_key: apiKey,
        api_secret: apiSecret,
        from,
        to: to.replace('+', ''),
        text,
        type: 'unicode', // for names and languages beyond the GSM alphabet
      }),
      signal: AbortSignal.timeout(10_000),
    });
    if (!response.ok) throw new Error(`Vonage answered ${response.status}`);
    // 200 says that the request was read; each part of the message has a status of its own, '0' for taken.
    const { messages } = (await response.json()) as { messages: { status: string }[] };
    const refused = messages.find(({ status }) => status !== '0');
    if (refused) throw new Error(`Vonage refused the message with status ${refused.status}`);
  };
}
