#!/usr/bin/env node
import { secret } from './secret.js';

const USAGE = `Usage: express-otp-auth <command>

Commands:
  doctor   say what is wrong with the configuration, and how to mend it (doctor --help)
  secret   print a good secret for EXPRESS_OTP_AUTH_JWT_SECRET
`;

const [command, ...args] = process.argv.slice(2);

switch (command) {
  case 'secret':
    process.stdout.write(`${secret()}\n`);
    break;
  case 'doctor':
    void examine();
    break;
  case undefined:
  case 'help':
  case '--help':
  case '-h':
    process.stdout.write(USAGE);
    break;
  default:
    process.stderr.write(`There is no command '${command}'.\n\n${USAGE}`);
    process.exitCode = 2;
}

async function examine(): Promise<void> {
  const { doctor } = await import('./doctor/doctor.js');
  process.exitCode = await doctor(args, process.env, { out: process.stdout, progress: process.stderr });
}
