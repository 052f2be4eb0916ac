import type { AddressInfo } from 'net';
import express, { type Request, type Response } from 'express';
import { otpAuth, type OtpAuthOptions } from 'express-otp-auth';
import Redis from 'ioredis';

// Compiled, never called: a client of the application's own, as ioredis 5 and `module: commonjs` write it.
export const withClient = (): OtpAuthOptions => ({ redis: new Redis() });

const auth = otpAuth({ redis: 'memory:', email: { send: (mail) => process.send!({ mail }) } });
const app = express();
app.use('/auth', auth);
app.get('/me', auth.requireUser, (req: Request, res: Response) => res.json(req.user));
const server = app.listen(0, '127.0.0.1', () => process.send!({ port: (server.address() as AddressInfo).port }));

process.once('message', () => {
  server.close();
  void auth.close().then(() => process.disconnect());
});
