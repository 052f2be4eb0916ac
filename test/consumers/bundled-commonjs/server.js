'use strict';
const express = require('express');
const { otpAuth } = require('express-otp-auth');

const auth = otpAuth({ redis: 'memory:', email: { send: (mail) => process.send({ mail }) } });
const app = express();
app.use('/auth', auth);
app.get('/me', auth.requireUser, (req, res) => res.json(req.user));
const server = app.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));

process.once('message', async () => {
  server.close();
  await auth.close();
  process.disconnect();
});
