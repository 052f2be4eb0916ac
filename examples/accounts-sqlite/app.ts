import express, { type Express } from 'express';
import type { OtpAuth } from 'express-otp-auth';
import type { Database } from 'libsql';

/** The application: people sign in at `/auth`, and everybody has a favourite colour. */
export function createApp(auth: OtpAuth, db: Database): Express {
  const app = express();
  app.use('/auth', auth);
  app.use(express.json(), auth.requireUser);

  app.get('/colour', (req, res) => {
    res.json(db.prepare('SELECT colour FROM people WHERE id = ?').get(Number(req.user?.id)));
  });
  app.put('/colour', (req, res) => {
    db.prepare('UPDATE people SET colour = ? WHERE id = ?').run(String(req.body.colour), Number(req.user?.id));
    res.sendStatus(204);
  });
  return app;
}
