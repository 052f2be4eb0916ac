#!/usr/bin/env node
import { secret } from './secret.js';

/** Written in by the build. */
declare const PACKAGE_VERSION: string;

const USAGE = `Usage: express-otp-auth <command>

Commands:
  doctor   say what is wrong with the configuration, and how to mend it (doctor --help)
  secret   print a good secret for EXPRESS_OTP_AUTH_JWT_SECRET

Options:
  --version   print the version of the package
  --help      print this
`;

const [command, ...args] = process.argv.slice(2);

switch (command) {
  case 'secret':
    process.stdout.write(`${secret()}\n`);
    break;
  case 'doctor':
    void examine();
    break;
  case '--version':
    process.stdout.write(`${PACKAGE_VERSION}\n`);
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
