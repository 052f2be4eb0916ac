import { once } from 'node:events';
import path from 'node:path';
import { compared, inTurn } from '../figures.mjs';
import { costing, eachOnce } from '../load.mjs';
import { startProcess } from '../process.mjs';
import { startTarget } from '../target.mjs';

const NAMES = [
  'Nodemailer, a connection a mail',
  'Nodemailer, its own pool of 5',
  'express-otp-auth, its own pool of 20',
];

/** Codes through real SMTP, with a mail server on the same machine and one that is 5 ms away each way. */
export async function measure({ rounds, mails }) {
  const sections = [];
  for (const milliseconds of [0, 5]) {
    const server = startProcess(path.join(import.meta.dirname, '../mail-server.mjs'), [milliseconds], { core: 'load' });
    const [{ port }] = await once(server, 'message');
    const running = new Map();
    for (const name of NAMES)
      running.set(name, await startTarget(name, { smtp: { host: '127.0.0.1', port, secure: false } }));
    let person = 0;
    const { perSecond } = await inTurn(rounds, NAMES, async (name) => {
      const target = running.get(name);
      const requests = Array.from({ length: mails }, () => ({
        method: 'POST',
        path: '/auth/request-otp',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ email: `person${person++}@example.com` }),
      }));
      const done = await costing(target, () => eachOnce(target, requests, { connections: 64 }));
      return { perSecond: done.perSecond };
    });
    for (const target of running.values()) target.stop();
    server.kill();
    const where = milliseconds === 0 ? 'on the same machine' : `${milliseconds} ms away each way`;
    sections.push(
      compared(`Codes by e-mail a second, mail server ${where}`, perSecond, NAMES[0], { unit: '/s', better: 'more' }),
    );
  }
  return { sections, goals: [] };
}
