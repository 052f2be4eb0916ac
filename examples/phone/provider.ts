import type { OutgoingSms } from 'express-otp-auth';
import { twilioSender } from './twilio.js';
import { vonageSender } from './vonage.js';

/** The provider whose variables are set. Without one, texts are printed on the console, for development. */
export function configuredSender(env: NodeJS.ProcessEnv): (sms: OutgoingSms) => unknown {
  const { SMS_FROM: from = '', SMS_BASE_URL } = env;
  const at = SMS_BASE_URL === undefined ? {} : { baseUrl: SMS_BASE_URL };
  const { TWILIO_ACCOUNT_SID: accountSid, TWILIO_AUTH_TOKEN: authToken } = env;
  if (accountSid && authToken) return twilioSender({ accountSid, authToken, from, ...at });

  const { VONAGE_API_KEY: apiKey, VONAGE_API_SECRET: apiSecret } = env;
  if (apiKey && apiSecret) return vonageSender({ apiKey, apiSecret, from, ...at });

  if (env['NODE_ENV'] === 'production') throw new Error('No SMS provider is configured: see README.md.');
  return ({ to, text }) => console.log(`To ${to}: ${text.replaceAll('\n', ' ')}`);
}
