import { otpAuth } from 'express-otp-auth';
import { Cluster } from 'ioredis';
import { createApp } from './app.js';

// The application's own client: it is used as it is, and closed by nobody else. Any of the nodes leads to the others.
const [host, port] = (process.env.REDIS_NODE ?? '127.0.0.1:7001').split(':');
const redis = new Cluster([{ host, port: Number(port) }]);
redis.on('error', (error) => console.error(`Redis: ${error.message}`));

// Each process is told of revocations as they happen, and asks Redis for nothing on guarded requests.
const options = { redis, revocation: 'push' };
const isProduction = process.env.NODE_ENV === 'production';
const auth = isProduction
  ? otpAuth(options) // and everything from EXPRESS_OTP_AUTH_* variables
  : otpAuth({ ...options, email: { send: (mail) => console.log(`To ${mail.to}: ${mail.subject}`) } });

const server = createApp(auth).listen(process.env.PORT ?? 3000, (error) => {
  if (error) throw error;
  console.log(`http://localhost:${server.address().port}`);
});

// What is under way is answered. Then nothing is open any more, and the process ends by itself.
process.once('SIGTERM', () => {
  server.close(() => void auth.close().finally(() => redis.disconnect()));
});
