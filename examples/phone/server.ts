import type { AddressInfo } from 'node:net';
import { otpAuth } from 'express-otp-auth';
import { createApp, smsOptions } from './app.js';
import { configuredSender } from './provider.js';

// For development, no Redis and no mail server are needed. In production, variables say where they are.
const isProduction = process.env['NODE_ENV'] === 'production';
const sms = { ...smsOptions, send: configuredSender(process.env) };
const auth = isProduction
  ? otpAuth({ sms }) // everything else from EXPRESS_OTP_AUTH_* variables
  : otpAuth({ sms, redis: 'memory:', email: { send: (mail) => console.log(`To ${mail.to}: ${mail.subject}`) } });

const server = createApp(auth).listen(process.env['PORT'] ?? 3000, (error) => {
  if (error) throw error;
  console.log(`http://localhost:${(server.address() as AddressInfo).port}`);
});

// What is under way is answered. Then nothing is open any more, and the process ends by itself.
process.once('SIGTERM', () => {
  server.close(() => void auth.close());
});
