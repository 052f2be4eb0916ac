/** A client that only listens: what `duplicate()` of an ioredis `Redis` or `Cluster` gives. */
export interface SubscriberClient {
  subscribe(...channels: string[]): Promise<unknown>;
  on(event: string, listener: (...details: never[]) => void): unknown;
  disconnect(): void;
}

/** One connection to hear others by. It lives once: what was said while it was not there is not made up for, so nothing is gained by keeping it. */
export interface Subscription {
  /** Listens on these channels alone, over a new connection. */
  open(channels: readonly string[]): void;
  readonly isOpen: boolean;
  close(): void;
}

export function subscription(
  openClient: () => SubscriberClient,
  on: { message(text: string): void; opened(): void; lost(): void },
): Subscription {
  let current: SubscriberClient | undefined;

  const drop = () => {
    const dropped = current;
    current = undefined;
    dropped?.disconnect();
  };

  return {
    open(channels) {
      drop();
      const client = openClient();
      current = client;
      const lose = () => {
        if (current !== client) return;
        drop();
        on.lost();
      };
      // Whatever is wrong ends the connection, and that is what counts.
      client.on('error', () => {});
      client.on('close', lose);
      client.on('end', lose);
      client.on('message', (_channel: string, text: string) => {
        if (current === client) on.message(text);
      });
      client.subscribe(...channels).then(() => {
        if (current === client) on.opened();
      }, lose);
    },
    get isOpen() {
      return current !== undefined;
    },
    close: drop,
  };
}
