import { createOtpClient } from 'express-otp-auth/client';
import * as SecureStore from 'expo-secure-store';
import { useEffect, useSyncExternalStore } from 'react';

const KEY = 'refresh_token';

export const client = createOtpClient({
  baseUrl: 'https://api.example.com/auth',
  tokenTransport: 'body',
  storage: {
    get: () => SecureStore.getItemAsync(KEY),
    set: (token) => SecureStore.setItemAsync(KEY, token),
    remove: () => SecureStore.deleteItemAsync(KEY),
  },
});

/** Who is signed in: `null` is nobody, and `undefined` not known yet. */
export function useUser() {
  const user = useSyncExternalStore(client.subscribe, () => client.user);
  useEffect(() => {
    if (user === undefined) void client.refresh();
  }, [user]);
  return user;
}
