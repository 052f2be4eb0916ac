import express from 'express';

/** The application. What signs people in is handed over, so that tests can hand over another. */
export function createApp(auth) {
  const app = express();
  app.use('/auth', auth);
  app.get('/me', auth.requireUser, (req, res) => {
    res.json(req.user);
  });
  app.get('/health', async (_req, res) => {
    const health = await auth.health();
    res.status(health.ok ? 200 : 503).json(health);
  });
  return app;
}
