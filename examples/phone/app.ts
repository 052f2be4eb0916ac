import express, { type Express } from 'express';
import type { OtpAuth } from 'express-otp-auth';

/** Which numbers codes are sent to, and where they are typed in. */
export const smsOptions = {
  allowedCountries: ['DE', 'SI'],
  defaultCountry: 'DE', // whose numbers may come without a country code
  origin: 'https://app.example.com',
};

/** The application. What signs people in is handed over, so that tests can hand over another. */
export function createApp(auth: OtpAuth): Express {
  const app = express();
  app.use('/auth', auth);
  app.get('/me', auth.requireUser, (req, res) => {
    res.json(req.user);
  });
  return app;
}
