import { otpAuth } from 'express-otp-auth';
import { createApp, totpOptions } from './app.js';

// For development, no Redis and no mail server are needed. In production, variables say where they are.
const isProduction = process.env.NODE_ENV === 'production';
const auth = isProduction
  ? otpAuth(totpOptions) // and everything from EXPRESS_OTP_AUTH_* variables
  : otpAuth({
      ...totpOptions,
      users: { store: 'memory' },
      redis: 'memory:',
      email: { send: (mail) => console.log(`To ${mail.to}: ${mail.subject}`) },
    });

const server = createApp(auth).listen(process.env.PORT ?? 3000, (error) => {
  if (error) throw error;
  console.log(`http://localhost:${server.address().port}`);
});

// What is under way is answered. Then nothing is open any more, and the process ends by itself.
process.once('SIGTERM', () => {
  server.close(() => void auth.close());
});
