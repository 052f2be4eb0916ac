// `npm run demo`: starts the demo on a free port, or on PORT, and prints its address. Ctrl-C ends it.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { isOtpAuthError, otpAuth } from 'express-otp-auth';
import { createApp } from './app.mjs';
import { createMailCatcher } from './mail-catcher.mjs';
import { describeOptions, optionsFrom } from './options.mjs';

try {
  await start(process.env);
} catch (error) {
  const reason = explain(error);
  if (reason === undefined) throw error;
  console.error(reason);
  process.exitCode = 1;
}

async function start(env) {
  const mailCatcher = createMailCatcher();
  const auth = otpAuth(optionsFrom(env, mailCatcher));
  const server = createServer(createApp({ auth, mailCatcher, about: describeOptions(env) }));

  const close = async () => {
    server.close();
    server.closeAllConnections(); // browsers keep theirs open
    await auth.close();
    // Nothing is open any more, so the process ends by itself.
  };
  try {
    // On this machine alone: whoever reaches the demo can read its mail.
    server.listen(Number(env.PORT ?? 0), '127.0.0.1');
    await once(server, 'listening');
  } catch (error) {
    await close();
    throw error;
  }
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void close());
  console.log(`The demo runs at http://localhost:${server.address().port} (Ctrl-C ends it)`);
}

/** What is wrong, and not the demo's fault, in a sentence that says how to mend it. */
function explain(error) {
  const { PORT } = process.env;
  if (isOtpAuthError(error)) return error.message;
  if (error.code === 'EADDRINUSE')
    return `Port ${PORT} is taken: set PORT to another, or leave it out for any free one.`;
  if (error.code === 'EACCES') return `Port ${PORT} is not for everybody to use: set PORT to one above 1023.`;
  if (error.code === 'ERR_SOCKET_BAD_PORT') return `PORT must be a number from 0 to 65535, not "${PORT}".`;
  return undefined;
}
