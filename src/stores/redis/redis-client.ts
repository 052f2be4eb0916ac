/**
 * What the package needs of a Redis client: `Redis` and `Cluster` of ioredis 5 and 6 both fit. Written down by
 * shape, because an application's ioredis may be another copy, or another major version, than the package's.
 */
export interface RedisClient {
  readonly status: string;
  /** `true` on a `Cluster`. */
  readonly isCluster?: boolean;
  evalsha(sha1: string, numberOfKeys: number, ...rest: (string | number)[]): Promise<unknown>;
  eval(lua: string, numberOfKeys: number, ...rest: (string | number)[]): Promise<unknown>;
  mget(...keys: string[]): Promise<(string | null)[]>;
  call(command: string, ...args: (string | number)[]): Promise<unknown>;
  ping(): Promise<string>;
  on(event: string, listener: (...details: unknown[]) => void): unknown;
  off(event: string, listener: (...details: unknown[]) => void): unknown;
  disconnect(): void;
}
