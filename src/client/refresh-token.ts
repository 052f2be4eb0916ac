/** Where the refresh token is kept with `tokenTransport: 'body'`: the Keychain or Keystore on a phone, say. */
export interface RefreshTokenStorage {
  get(): string | null | undefined | Promise<string | null | undefined>;
  set(token: string): unknown;
  remove(): unknown;
}

/** The refresh token of this application. With cookies it is the browser's to keep, and nothing here ever sees it. */
export interface RefreshToken {
  /** The members that a request's body has for it; `undefined` where there is no token to send. */
  read(): Promise<Record<string, string> | undefined>;
  keep(token: unknown): Promise<void>;
  forget(): Promise<void>;
}

export const inCookie: RefreshToken = {
  read: async () => ({}),
  keep: async () => {},
  forget: async () => {},
};

export function inStorage(storage: RefreshTokenStorage = memoryStorage()): RefreshToken {
  // One that the storage failed to take. Its predecessor, which the storage may still have, would end the session.
  let unsaved: string | undefined;
  return {
    async read() {
      const token = unsaved ?? (await storage.get());
      return token ? { refresh_token: token } : undefined;
    },
    async keep(token) {
      unsaved = token as string;
      await storage.set(unsaved);
      unsaved = undefined;
    },
    async forget() {
      unsaved = undefined;
      await storage.remove();
    },
  };
}

function memoryStorage(): RefreshTokenStorage {
  let kept: string | undefined;
  return {
    get: () => kept,
    set: (token) => {
      kept = token;
    },
    remove: () => {
      kept = undefined;
    },
  };
}
