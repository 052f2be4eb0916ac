import path from 'node:path';
import express from 'express';

const here = import.meta.dirname;

/** Accounts, the sign-in page, and authenticator apps for those who want one. `'required'` has everybody set one up on the sign-in page. */
export const totpOptions = {
  pages: { appName: 'Vault' },
  cookie: { accessToken: true },
  users: { store: 'redis' },
  totp: 'optional',
};

/** The application. What signs people in is handed over, so that tests can hand over another. */
export function createApp(auth) {
  const app = express();
  app.use('/auth', auth);
  app.use('/public', express.static(path.join(here, 'public')));

  // A browser that is not signed in goes to the sign-in page, which asks for the second factor too, and comes back.
  app.get('/', auth.requireUser, (_req, res) => {
    res.sendFile(path.join(here, 'account.html'));
  });
  return app;
}
