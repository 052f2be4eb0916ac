const express = require('express');

/** The application. What signs people in is handed over, so that tests can hand over another. */
function createApp(auth) {
  const app = express();
  app.use('/auth', auth);
  app.get('/me', auth.requireUser, (req, res) => {
    res.json(req.user);
  });
  return app;
}

module.exports = { createApp };
