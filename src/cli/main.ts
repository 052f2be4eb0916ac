#!/usr/bin/env node
import { secret } from './secret.js';

const USAGE = `Usage: express-otp-auth <command>

Commands:
  secret   print a good secret for EXPRESS_OTP_AUTH_JWT_SECRET
`;

const [command] = process.argv.slice(2);

switch (command) {
  case 'secret':
    process.stdout.write(`${secret()}\n`);
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
