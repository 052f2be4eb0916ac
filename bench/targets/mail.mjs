// The package's own e-mail channel beside the two ways in which Nodemailer is mostly used, all through real SMTP.
import { createTransport } from 'nodemailer';
import { startWith } from './express-otp-auth.mjs';

const inMemory = { redis: 'memory:', allowMemoryInProduction: true };
const from = 'bench@example.com';
const through = (transporterFor) =>
  startWith(({ smtp }) => ({ ...inMemory, email: { from, transport: transporterFor(smtp) } }));

export const own = startWith(({ smtp }) => ({ ...inMemory, email: { from, smtp, send: undefined } }));
export const usualPool = through((smtp) => createTransport({ ...smtp, pool: true }));
export const unpooled = through((smtp) => createTransport(smtp));
