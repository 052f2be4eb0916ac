// The application: sign-in under /auth, one protected route, and the page that plays with them.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import express from 'express';
import { securityHeaders } from './security-headers.mjs';
import { stolenCookies } from './stolen-cookies.mjs';

const page = path.join(import.meta.dirname, 'public');
// Browsers can load the client as it is. An application with a bundler imports it from 'express-otp-auth/client'.
const client = path.dirname(fileURLToPath(import.meta.resolve('express-otp-auth/client')));

export function createApp({ auth, mailCatcher, about }) {
  const app = express();
  app.disable('x-powered-by');
  app.use(securityHeaders);

  app.use('/auth', auth);
  app.get('/me', auth.requireUser, (req, res) => {
    const { id, amr, sessionId, tokenId } = req.user;
    res.set('Cache-Control', 'no-store');
    res.json({ message: `Only ${id} gets this answer.`, amr, sessionId, tokenId });
  });

  app.get('/demo/about', (req, res) => res.json(about));
  app.get('/demo/messages', (req, res) => res.json(mailCatcher.messages));
  app.use('/demo/stolen-cookies', stolenCookies());

  app.use('/client', express.static(client));
  app.use(express.static(page));

  // What nobody thought of goes to the console, and not to the visitor. Express knows such a handler by its four arguments.
  app.use((error, req, res, _next) => {
    console.error(error);
    res.status(500).json({ detail: 'Something went wrong. The console of the demo says what.' });
  });
  return app;
}
