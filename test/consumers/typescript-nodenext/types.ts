// Compiled, never run: what the types let an application write, and what they refuse.
import express, { type Router } from 'express';
import { otpAuth, type OtpAuthErrorCode, type OtpAuthOptions } from 'express-otp-auth';
import { Cluster, Redis } from 'ioredis';
import { Cluster as Cluster5, Redis as Redis5 } from 'ioredis5';

export const withClients: OtpAuthOptions[] = [
  { redis: new Redis() },
  { redis: new Cluster(['redis://localhost:7000']) },
  { redis: new Redis5() },
  { redis: new Cluster5(['redis://localhost:7000']) },
];

// @ts-expect-error an option that does not exist
export const unknownOption: OtpAuthOptions = { otp: { lenght: 6 } };

// @ts-expect-error a client is a client, not any object
export const noClient: OtpAuthOptions = { redis: { get: () => null } };

const auth = otpAuth();
export const router: Router = auth;
express().get('/reports', auth.requireRole('admin'), auth.requireRecent(600), (req, res) => {
  const id: string | undefined = req.user?.id;
  // @ts-expect-error a guest has no user
  const certain: string = req.user.id;
  res.json({ id, certain });
});

export const code: OtpAuthErrorCode = 'rate_limited';
// @ts-expect-error a code that does not exist
export const noCode: OtpAuthErrorCode = 'rate_limitted';
