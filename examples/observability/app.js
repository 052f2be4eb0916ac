import express from 'express';
import { Registry } from 'prom-client';
import { writeAuditLog } from './audit-log.js';
import { countEvents } from './metrics.js';

/** The application; who writes the log and who signs in is the caller's. */
export function createApp(auth, logger) {
  writeAuditLog(auth.events, logger);
  const registry = new Registry();
  countEvents(auth, registry);

  const app = express();
  app.use('/auth', auth);
  app.get('/me', auth.requireUser, (req, res) => res.json(req.user));

  // For support staff: what is known of somebody who cannot sign in, and never a code. An address in a URL would be logged.
  app.post('/support/explain', auth.requireRole('support'), express.json(), async (req, res) => {
    res.json(await auth.api.explain(`${req.body?.identifier}`));
  });

  // Not for everybody: let your proxy keep this path inside, or serve it on another port.
  app.get('/metrics', async (_req, res) => {
    res.type(registry.contentType).send(await registry.metrics());
  });
  return app;
}
