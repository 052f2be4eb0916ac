import { otpAuth } from 'express-otp-auth';
import { pino } from 'pino';
import { createApp } from './app.js';

const logger = pino();
const isProduction = process.env.NODE_ENV === 'production';
const auth = isProduction
  ? otpAuth({ logger })
  : otpAuth({ logger, redis: 'memory:', email: { send: (mail) => console.log(`To ${mail.to}: ${mail.subject}`) } });

const server = createApp(auth, logger.child({ log: 'audit' })).listen(process.env.PORT ?? 3000, (error) => {
  if (error) throw error;
  console.log(`http://localhost:${server.address().port}`);
});

process.once('SIGTERM', () => {
  server.close(() => void auth.close());
});
