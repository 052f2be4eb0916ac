import express from 'express';

/** The application's server: the router of express-otp-auth, and an API of its own. */
export function createApp(auth) {
  const app = express();
  app.use('/auth', auth);
  app.get('/api/greeting', auth.requireUser, (req, res) => {
    res.json({ greeting: `Hello, ${req.user.email}.` });
  });
  return app;
}
