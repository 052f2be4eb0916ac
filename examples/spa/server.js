import express from 'express';
import { otpAuth } from 'express-otp-auth';
import { createApp } from './app.js';

const isProduction = process.env.NODE_ENV === 'production';

const auth = isProduction
  ? otpAuth() // everything from EXPRESS_OTP_AUTH_* variables
  : otpAuth({ redis: 'memory:', email: { send: ({ to, text }) => console.log(`To ${to}:\n${text}`) } });
const app = createApp(auth);

if (isProduction) {
  app.use(express.static('dist'));
} else {
  const { createServer } = await import('vite');
  const vite = await createServer({ server: { middlewareMode: true }, appType: 'spa' });
  app.use(vite.middlewares);
}

const server = app.listen(process.env.PORT ?? 3000, () => {
  console.log(`http://localhost:${server.address().port}`);
});
