import type { Json } from './call.js';

/** Keeps tokens by name with `tokenTransport: 'body'`: in the Keychain or Keystore of a phone, say. */
export interface TokenStorage {
  get(name: string): string | null | undefined | Promise<string | null | undefined>;
  set(name: string, token: string): unknown;
  remove(name: string): unknown;
}

/** The tokens that outlast a page or a process. In cookies they are the browser's to keep, and nothing here ever sees them. */
export interface KeptTokens {
  /** What the body of a refresh or a logout has besides; `undefined` where there is no refresh token to send. */
  refresh(): Promise<Json | undefined>;
  /** What the body of a sign-in has besides: that this device has signed in before gives it limits of its own. */
  device(): Promise<Json>;
  /** Keeps what the answer to a sign-in or a refresh brought. */
  keep(answer: Json): Promise<void>;
  /** Forgets the refresh token. */
  forget(): Promise<void>;
}

export const inCookies: KeptTokens = {
  refresh: async () => ({}),
  device: async () => ({}),
  keep: async () => {},
  forget: async () => {},
};

const REFRESH = 'otp_refresh_token';
const DEVICE = 'otp_device_token';

export function inStorage(storage: TokenStorage = memoryStorage()): KeptTokens {
  // One that the storage failed to take. Its predecessor, which the storage may still have, would end the session.
  let unsaved: string | undefined;
  return {
    async refresh() {
      const token = unsaved ?? (await storage.get(REFRESH));
      return token ? { refresh_token: token } : undefined;
    },
    async device() {
      try {
        return { token_transport: 'body', device_token: (await storage.get(DEVICE)) ?? undefined };
      } catch {
        return { token_transport: 'body' }; // a stranger then, which is no reason not to sign in
      }
    },
    async keep({ refresh_token: refreshToken, device_token: deviceToken }) {
      unsaved = refreshToken as string;
      await storage.set(REFRESH, unsaved);
      unsaved = undefined;
      if (deviceToken) await storage.set(DEVICE, deviceToken as string);
    },
    async forget() {
      unsaved = undefined;
      await storage.remove(REFRESH);
    },
  };
}

function memoryStorage(): TokenStorage {
  const kept = new Map<string, string>();
  return {
    get: (name) => kept.get(name),
    set: (name, token) => kept.set(name, token),
    remove: (name) => kept.delete(name),
  };
}
