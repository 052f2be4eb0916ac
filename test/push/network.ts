import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { closeAfterFile } from '../support/closing.js';

/** The subscriber's connection, or the one that commands go over. */
export type Line = 'subscriber' | 'commands';

/** The network between one process and Redis. */
export interface Network {
  port: number;
  /** Open connections of these kinds lose everything from now on, in both directions, and nobody is told. */
  lose(lines: readonly Line[]): void;
  /** Nothing arrives on these until the time is over, then everything does. */
  delay(lines: readonly Line[], forMs: number): void;
  /** New connections are accepted and get no answer, open ones lose everything, until the time is over. */
  dark(forMs: number): void;
  cut(lines: readonly Line[]): void;
  /** New connections go there. */
  leadTo(port: number): void;
}

interface Connection {
  near: net.Socket;
  far: net.Socket;
  line: Line;
  isLost: boolean;
}

/** Starts one. It is closed after the file's last test. */
export async function startNetwork(targetPort: number): Promise<Network> {
  const connections = new Set<Connection>();
  let darkUntilMs = 0;
  let farPort = targetPort;

  const forward = (connection: Connection, from: net.Socket, to: net.Socket) => {
    from.on('error', () => {});
    from.on('data', (data) => {
      // ioredis subscribes on a connection of its own.
      if (from === connection.near && /\bsubscribe\r\n/i.test(data.toString('latin1'))) connection.line = 'subscriber';
      if (!connection.isLost) to.write(data);
    });
    from.on('close', () => {
      connections.delete(connection);
      if (!connection.isLost) to.destroy();
    });
  };
  const server = net.createServer((near) => {
    near.setNoDelay(true);
    const far = net.connect({ port: farPort, host: '127.0.0.1', noDelay: true });
    const connection: Connection = { near, far, line: 'commands', isLost: performance.now() < darkUntilMs };
    connections.add(connection);
    forward(connection, near, far);
    forward(connection, far, near);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closeAfterFile(() => {
    server.close();
    for (const { near, far } of connections) {
      near.destroy();
      far.destroy();
    }
  });

  const each = (lines: readonly Line[], act: (connection: Connection) => void) => {
    for (const connection of connections) if (lines.includes(connection.line)) act(connection);
  };
  const loseOne = (connection: Connection) => {
    connection.isLost = true;
  };
  return {
    port: (server.address() as AddressInfo).port,
    lose: (lines) => each(lines, loseOne),
    delay: (lines, forMs) =>
      each(lines, ({ near, far }) => {
        near.pause();
        far.pause();
        setTimeout(() => {
          near.resume();
          far.resume();
        }, forMs);
      }),
    dark(forMs) {
      darkUntilMs = performance.now() + forMs;
      each(['subscriber', 'commands'], loseOne);
    },
    cut: (lines) =>
      each(lines, ({ near, far }) => {
        near.destroy();
        far.destroy();
      }),
    leadTo(port) {
      farPort = port;
    },
  };
}
