import { createOtpClient } from 'express-otp-auth/client';
import { useEffect, useSyncExternalStore } from 'react';

export const client = createOtpClient({ baseUrl: '/auth' });

/** Who is signed in: `null` is nobody, and `undefined` not known yet. */
export function useUser() {
  const user = useSyncExternalStore(client.subscribe, () => client.user);
  useEffect(() => {
    if (user === undefined) void client.refresh();
  }, [user]);
  return user;
}
