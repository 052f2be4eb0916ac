import express, { type Express } from 'express';
import type { OtpAuth } from 'express-otp-auth';

/** The application. What signs people in is handed over, so that tests can hand over another. */
export function createApp(auth: OtpAuth): Express {
  const app = express();
  app.use('/auth', auth);
  app.get('/me', auth.requireUser, (req, res) => {
    res.json(req.user);
  });
  return app;
}
