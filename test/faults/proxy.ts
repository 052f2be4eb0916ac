import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { closeAfterFile } from '../support/closing.js';

/** A way to a server that can end, or lose everything that is sent on it, in both directions, and tell nobody. */
export interface LossyProxy {
  port: number;
  /** From now on nothing passes, on open connections and on new ones, which are accepted all the same. */
  lose(): void;
  /** New connections pass again. Those that were open have lost something, and stay silent for ever. */
  pass(): void;
  /** Open connections are ended, new ones refused. */
  end(): Promise<void>;
  /** Takes connections again, on the same port. */
  start(): Promise<void>;
  /** New connections go there. */
  leadTo(port: number): void;
}

/** Starts one on a free port of 127.0.0.1. It is closed after the file's last test. */
export async function startLossyProxy(targetPort: number): Promise<LossyProxy> {
  let losing = false;
  let port = targetPort;
  const sockets = new Set<net.Socket>();
  const forward = (from: net.Socket, to: net.Socket, lost: { all: boolean }) => {
    sockets.add(from);
    from.on('error', () => {});
    from.on('data', (data) => {
      lost.all ||= losing;
      if (!lost.all) to.write(data);
    });
    from.on('close', () => {
      sockets.delete(from);
      if (!lost.all && !losing) to.destroy();
    });
  };
  const server = net.createServer((near) => {
    const lost = { all: losing };
    const far = net.connect(port, '127.0.0.1');
    forward(near, far, lost);
    forward(far, near, lost);
  });
  const listen = async (near: number) => {
    server.listen(near, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const end = async () => {
    const closed = server.listening ? once(server, 'close') : undefined;
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  closeAfterFile(end);
  const ownPort = await listen(0);
  return {
    port: ownPort,
    lose() {
      losing = true;
    },
    pass() {
      losing = false;
    },
    end,
    async start() {
      await listen(ownPort);
    },
    leadTo(next) {
      port = next;
    },
  };
}
