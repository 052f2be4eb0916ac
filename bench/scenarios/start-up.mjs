import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { compared, inTurn, listed } from '../figures.mjs';

const NOTHING = 'nothing';
/** Name → what a program imports. */
const IMPORTS = {
  [NOTHING]: [],
  express: ['express'],
  'express, zod': ['express', 'zod'],
  'express, ioredis': ['express', 'ioredis'],
  'express, jsonwebtoken': ['express', 'jsonwebtoken'],
  'express, express-rate-limit': ['express', 'express-rate-limit'],
  'express, these four': ['express', 'zod', 'ioredis', 'jsonwebtoken', 'express-rate-limit'],
  'express, express-otp-auth': ['express', 'express-otp-auth'],
  'express, jsonwebtoken, ioredis': ['express', 'jsonwebtoken', 'ioredis'],
  'express, passport, passport-jwt, ioredis': ['express', 'passport', 'passport-jwt', 'ioredis'],
  'express, better-auth': ['express', 'better-auth', 'better-auth/node', 'better-auth/plugins'],
};

/** What importing costs a new process, until everything is there. */
export async function measure({ rounds }) {
  const names = Object.keys(IMPORTS);
  const figures = await inTurn(rounds, names, async (name) => importing(IMPORTS[name]));
  const sections = [
    compared('Start-up: from the start of the process', figures.ms, NOTHING, { unit: 'ms', better: 'less' }),
    compared('Start-up: memory', figures.MB, NOTHING, { unit: 'MB', better: 'less' }),
  ];
  const added = (figure, name, base) => {
    const valueOf = (each) => sections[figure].rows.find((row) => row.name === each).value;
    return valueOf(name) - valueOf(base);
  };
  const own = 'express, express-otp-auth';
  const needed = 'express, these four';
  return {
    sections: [
      ...sections,
      listed(
        'Start-up: what is added',
        ['', 'ms', 'MB'],
        names
          .filter((name) => name !== NOTHING)
          .map((name) => [name, name === 'express' ? NOTHING : 'express'])
          .map(([name, base]) => [
            `${name.replace('express, ', '')}, to ${base}`,
            ...[0, 1].map((figure) => added(figure, name, base).toFixed(1)),
          ]),
        'The package needs zod, ioredis, jsonwebtoken and express-rate-limit before it can start; what only some configurations need (Nodemailer, libphonenumber-js, otplib, qrcode, kysely) is loaded when it is needed.',
      ),
    ],
    goals: [
      {
        what: 'start-up: milliseconds that express adds to a bare process, to those that this package adds to express',
        atLeast: 1,
        reached: added(0, 'express', NOTHING) / added(0, own, 'express'),
        most: [added(0, 'express', NOTHING) / added(0, needed, 'express'), 'these four'],
      },
    ],
  };
}

function importing(modules) {
  const program = `
    for (const name of ${JSON.stringify(modules)}) await import(name);
    const { user, system } = process.cpuUsage();
    console.log(JSON.stringify({ ms: performance.now(), cpu: (user + system) / 1000, MB: process.memoryUsage.rss() / 1e6 }));
  `;
  const { stdout, status } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: path.dirname(import.meta.dirname),
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`importing ${modules.join(', ')} failed`);
  return JSON.parse(stdout);
}
