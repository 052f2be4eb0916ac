import express from 'express';
import { otpAuth } from 'express-otp-auth';
import { twilioSender } from './twilio.js';

const { TWILIO_ACCOUNT_SID = '', TWILIO_AUTH_TOKEN = '', TWILIO_FROM = '', TWILIO_BASE_URL } = process.env;

const app = express();
const auth = otpAuth({
  redis: 'memory:',
  sms: {
    send: twilioSender({
      accountSid: TWILIO_ACCOUNT_SID,
      authToken: TWILIO_AUTH_TOKEN,
      from: TWILIO_FROM,
      ...(TWILIO_BASE_URL ? { baseUrl: TWILIO_BASE_URL } : {}),
    }),
    allowedCountries: ['DE', 'SI'],
    defaultCountry: 'DE',
    origin: 'https://app.example.com',
  },
});

app.use('/auth', auth);
app.get('/me', auth.requireUser, (req, res) => {
  res.json(req.user);
});

const port = Number(process.env['PORT'] ?? 3000);
app.listen(port, () => console.log(`http://localhost:${port}`));
