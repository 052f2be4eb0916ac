// A mail server that takes everything and keeps nothing: `node mail-server.mjs <milliseconds away>`.
import { fork } from 'node:child_process';
import path from 'node:path';
import { SMTPServer } from 'smtp-server';

const milliseconds = Number(process.argv[2]);
const server = new SMTPServer({
  authOptional: true,
  disabledCommands: ['AUTH', 'STARTTLS'],
  onData(stream, session, done) {
    stream.on('end', () => done());
    stream.resume();
  },
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.server.address();
  if (milliseconds === 0) {
    process.send({ port });
    return;
  }
  const distance = fork(path.join(import.meta.dirname, 'distance.mjs'), [String(port), String(milliseconds)]);
  distance.once('message', (message) => process.send(message));
});
process.on('disconnect', () => process.exit());
