import type { AddressInfo } from 'node:net';
import { otpAuth } from 'express-otp-auth';
import Database from 'libsql';
import { createApp } from './app.js';
import { PEOPLE, peopleStore } from './user-store.js';

const db = new Database(process.env['DATABASE_FILE'] ?? 'people.sqlite');
db.exec(PEOPLE);

// For development, no Redis and no mail server are needed. In production, variables say where they are.
const isProduction = process.env['NODE_ENV'] === 'production';
const users = { store: peopleStore(db) };
const auth = isProduction
  ? otpAuth({ users }) // everything else from EXPRESS_OTP_AUTH_* variables
  : otpAuth({
      users,
      redis: 'memory:',
      email: { send: (mail) => console.log(`To ${mail.to}: ${mail.subject}`) },
    });

const server = createApp(auth, db).listen(process.env['PORT'] ?? 3000, (error) => {
  if (error) throw error;
  console.log(`http://localhost:${(server.address() as AddressInfo).port}`);
});

process.once('SIGTERM', () => {
  server.close(() => void auth.close().then(() => db.close()));
});
