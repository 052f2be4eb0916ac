import { createOtpClient } from 'express-otp-auth/client';
import * as SecureStore from 'expo-secure-store';
import { useEffect, useSyncExternalStore } from 'react';

export const client = createOtpClient({
  baseUrl: 'https://api.example.com/auth',
  tokenTransport: 'body',
  storage: {
    get: (name) => SecureStore.getItemAsync(name),
    set: (name, token) => SecureStore.setItemAsync(name, token),
    remove: (name) => SecureStore.deleteItemAsync(name),
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
