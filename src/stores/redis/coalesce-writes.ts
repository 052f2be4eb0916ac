import { setImmediate } from 'node:timers';
import type { Redis } from 'ioredis';

/**
 * Lets the commands of one turn of the event loop leave in one write: under load, a system call for each is most of
 * what a command costs. Nothing waits for an answer, as it does with ioredis's auto-pipelining; a command that is alone
 * in its turn leaves at the end of it.
 */
export function coalesceWrites(client: Redis): void {
  let isHeld = false;
  const send = client.sendCommand.bind(client);
  client.sendCommand = (...command) => {
    // What ioredis calls its connection; it is another one after each reconnection.
    const { stream } = client;
    if (!isHeld && stream?.writable) {
      isHeld = true;
      stream.cork();
      setImmediate(() => {
        isHeld = false;
        stream.uncork();
      });
    }
    return send(...command);
  };
}
