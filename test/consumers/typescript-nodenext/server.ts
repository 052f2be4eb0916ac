import type { AddressInfo } from 'node:net';
import express from 'express';
import { type AuthenticatedUser, otpAuth, type OutgoingEmail } from 'express-otp-auth';

const auth = otpAuth({ redis: 'memory:', email: { send: (mail: OutgoingEmail) => process.send!({ mail }) } });
const app = express();
app.use('/auth', auth);
app.get('/me', auth.requireUser, (req, res) => {
  const user: AuthenticatedUser | undefined = req.user;
  res.json(user);
});
const server = app.listen(0, '127.0.0.1', () => process.send!({ port: (server.address() as AddressInfo).port }));

process.once('message', () => {
  server.close();
  void auth.close().then(() => process.disconnect());
});
